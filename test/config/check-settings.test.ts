// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation of the config files
import { expect, test } from 'vitest';
import { z } from 'zod';
import { checkSettings } from '../../src/config/check-settings.ts';
import { createDocument, parseDocument } from '../../src/config/config-document.ts';
import { describeProblem } from '../../src/config/config-error.ts';
import { fieldName } from '../../src/config/shape/field-name.ts';
import { templateText } from '../../src/config/shape/template-text.ts';

function check(shape: z.ZodType, value: unknown): string[] {
  const document = parseDocument(JSON.stringify(value), 'f', '/', {});
  return checkSettings(document, shape).problems.map((problem) => describeProblem(problem).slice(2));
}

test('settings come out when nothing is wrong', () => {
  const checked = checkSettings(createDocument({ a: 1 }, 'x', '/'), z.strictObject({ a: z.number() }));
  expect(checked).toEqual({ settings: { a: 1 }, problems: [] });
});

const words = z.strictObject({
  path: z.string().optional(),
  count: z.int().min(1).max(9).optional(),
  list: z.array(z.string()).min(1).optional(),
  flag: z.boolean().optional(),
  level: z.enum(['info', 'warn']).optional(),
  name: z.string().min(1).max(3).optional(),
  ratio: z.number().optional(),
  map: z.record(fieldName(), z.union([templateText(), z.null()])).optional(),
});

test.each<[unknown, string[]]>([
  [7, ['1:1: expected an object, but found 7']],
  [[], ['1:1: expected an object, but found an empty list']],
  [null, ['1:1: expected an object, but found null']],
  [{ path: 8080 }, ['1:9: expected a string, but found 8080 (write it in quotes: "8080")']],
  [{ path: {} }, ['1:9: expected a string, but found an object']],
  [{ pathh: 'x' }, ['1:2: unknown key "pathh" (did you mean "path"?)']],
  [{ zzz: 1 }, ['1:2: unknown key "zzz" (known here: path, count, list, flag, level, name, ratio, map)']],
  [{ count: '5' }, ['1:10: expected a number, but found "5" (write it without quotes: 5)']],
  [{ count: 1.5 }, ['1:10: expected a whole number, but found 1.5']],
  [{ count: 0 }, ['1:10: expected a number of at least 1, but found 0']],
  [{ count: 10 }, ['1:10: expected a number of at most 9, but found 10']],
  [{ list: 'a' }, ['1:9: expected a list, but found "a" (write it as a list, in [ ])']],
  [{ list: [] }, ['1:9: this list cannot be empty']],
  [
    { list: ['a', 1, true] },
    [
      '1:14: expected a string, but found 1 (write it in quotes: "1")',
      '1:16: expected a string, but found true (write it in quotes: "true")',
    ],
  ],
  [{ flag: 'true' }, ['1:9: expected true or false, but found "true" (write it without quotes: true)']],
  [{ flag: 'maybe' }, ['1:9: expected true or false, but found "maybe"']],
  [{ level: 'wran' }, ['1:10: expected one of "info" or "warn", but found "wran" (did you mean "warn"?)']],
  [{ level: 3 }, ['1:10: expected one of "info" or "warn", but found 3']],
  [{ name: '' }, ['1:9: this string cannot be empty']],
  [{ name: 'abcd' }, ['1:9: expected at most 3 characters, but found "abcd"']],
  [{ ratio: '1.5x' }, ['1:10: expected a number, but found "1.5x"']],
  [
    { map: { 'a b': 'x' } },
    [
      '1:9: "a b" is not a header field name (letters, digits and any of !#$%&\'*+-.^_`|~, as in "Cache-Control")',
    ],
  ],
  [{ map: { a: '$hots' } }, ['1:13: unknown variable "$hots" (did you mean "$host"?)']],
  [{ map: { a: 5 } }, ['1:13: expected a string or null, but found 5']],
])('%j is told: %j', (value, expected) => {
  expect(check(words, value)).toEqual(expected);
});

test('a long value is cut in the report', () => {
  expect(check(z.strictObject({ a: z.number() }), { a: 'x'.repeat(500) })).toEqual([
    `1:6: expected a number, but found "${'x'.repeat(60)}…"`,
  ]);
});

const needy = z.strictObject({ path: z.string(), to: z.string(), also: z.union([z.string(), z.number()]) });

test('missing keys are told at their object', () => {
  expect(check(z.strictObject({ a: needy }), { a: {} })).toEqual([
    '1:6: missing key "path"',
    '1:6: missing key "to"',
    '1:6: missing key "also"',
  ]);
});

test('a key that is missing because it was mistyped is told once', () => {
  expect(check(needy, { pahts: 'x', to: 'y', also: 1 })).toEqual([
    '1:2: unknown key "pahts" (did you mean "path"?)',
  ]);
});

const kinds = z.strictObject({
  either: z
    .union([
      z.strictObject({ app: z.string(), instances: z.number().optional() }),
      z.strictObject({
        servers: z.array(z.union([z.string(), z.strictObject({ url: z.string(), weight: z.int() })])),
      }),
    ])
    .optional(),
  log: z.union([z.literal(false), z.string(), z.strictObject({ path: z.string() })]).optional(),
  workers: z.union([z.literal('auto'), z.int()]).optional(),
  address: z.union([z.union([z.int().max(65_535), z.string()]), z.array(z.string())]).optional(),
  kind: z.discriminatedUnion('type', [z.strictObject({ type: z.literal('a') })]).optional(),
});

test.each<[unknown, string[]]>([
  [{ either: { app: 'x', instnces: 2 } }, ['1:22: unknown key "instnces" (did you mean "instances"?)']],
  [{ either: { servers: 'x' } }, ['1:22: expected a list, but found "x" (write it as a list, in [ ])']],
  [
    { either: { servers: ['x', { url: 'y', wieght: 2 }] } },
    ['1:38: unknown key "wieght" (did you mean "weight"?)'],
  ],
  [{ either: { servers: ['x', 5] } }, ['1:27: expected a string or an object, but found 5']],
  [{ either: {} }, ['1:11: missing key "app" or "servers"']],
  [{ either: { instances: 2 } }, ['1:11: missing key "app"']],
  [{ either: 5 }, ['1:11: expected an object, but found 5']],
  [{ log: true }, ['1:8: expected false, a string or an object, but found true']],
  [{ log: { paht: 'x' } }, ['1:9: unknown key "paht" (did you mean "path"?)']],
  [{ workers: 'atuo' }, ['1:12: expected "auto" or a number, but found "atuo" (did you mean "auto"?)']],
  [{ workers: '4' }, ['1:12: expected "auto" or a number, but found "4" (write it without quotes: 4)']],
  [{ address: 70_000 }, ['1:12: expected a number of at most 65535, but found 70000']],
  [{ address: true }, ['1:12: expected a number, a string or a list, but found true']],
  [{ address: [1] }, ['1:13: expected a string, but found 1 (write it in quotes: "1")']],
])('of a union only the branch that was meant is told: %j', (value, expected) => {
  expect(check(kinds, value)).toEqual(expected);
});

test('T29: all problems are told, never only the first', () => {
  expect(check(words, { path: 1, count: 0, zzzz: 1, map: { a: '$x', 'a b': '' } })).toHaveLength(5);
});

test('a value with an unset variable is told once, by the reader', () => {
  const document = parseDocument('{ "count": "${NO}", "flag": "x" }', 'f', '/', {});
  expect(document.problems).toHaveLength(1);
  expect(checkSettings(document, words).problems.map((problem) => problem.at)).toEqual(['flag']);
});
