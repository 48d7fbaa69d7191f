import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bodyCases } from './body-cases.ts';
import { headersCases } from './headers-cases.ts';
import { requestCases } from './request-cases.ts';
import { responseCases } from './response-cases.ts';
import { attempt, installLean, type Outcome, platform, runCase, type WebCase } from './web-classes.ts';

const lean = installLean();

/** Where ours are meant to differ from the platform's of some Node: the case, what ours do, and why. */
const differences: ReadonlyMap<string, readonly [outcome: Outcome, reason: string]> = new Map([
  [
    'new Headers of a record with __proto__',
    [
      [
        'returns',
        [
          ['__proto__', '1'],
          ['constructor', '2'],
        ],
      ],
      'a name like any other; Node 20 loses it in an object of its own',
    ],
  ],
]);

function compare(cases: readonly WebCase[]): void {
  test.each(cases)('%s', async (title, run) => {
    const theirs = await runCase([title, run], platform);
    const ours = await runCase([title, run], lean);
    expect(ours).toStrictEqual(differences.get(title)?.[0] ?? theirs);
  });
}

describe('Headers are those of the platform', () => compare(headersCases));
describe('a Response is that of the platform', () => compare(responseCases));
describe('a Request is that of the platform', () => compare(requestCases));
describe('a body goes the ways of the platform', () => compare(bodyCases));

test('every case has a title of its own', () => {
  for (const cases of [headersCases, responseCases, requestCases, bodyCases]) {
    expect(cases.length).toBeGreaterThanOrEqual(50);
    expect(new Set(cases.map(([title]) => title)).size).toBe(cases.length);
  }
});

const name = fc.oneof(
  fc.constantFrom('a', 'A', 'b', 'set-cookie', 'Set-Cookie', 'cookie', 'x-1', '__proto__', '', 'a b', 'é'),
  fc.string({ maxLength: 3 }),
);
const value = fc.oneof(
  fc.constantFrom('', '1', ' 2 ', '\t', 'a, b', 'é', '\n', 'x\ny', '€'),
  fc.string({ maxLength: 4 }),
);
const step = fc.oneof(
  fc.record({ call: fc.constantFrom('append', 'set'), given: fc.tuple(name, value) }),
  fc.record({ call: fc.constantFrom('delete', 'get', 'has'), given: fc.tuple(name) }),
  fc.record({ call: fc.constantFrom('getSetCookie', 'entries'), given: fc.constant([]) }),
);

test('any sequence of calls on Headers gives the same', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const [theirs, ours] = [platform, lean].map(({ Headers }) => {
        const headers = new Headers();
        return steps.map(({ call, given }) =>
          attempt(() => {
            const result = Reflect.apply(Reflect.get(headers, call), headers, given);
            return call === 'entries' ? [...result] : result;
          }),
        );
      });
      expect(ours).toStrictEqual(theirs);
    }),
    { numRuns: 400 },
  );
});

test('any record and any list of pairs gives the same Headers', () => {
  const recordName = name.filter((text) => text !== '__proto__');
  const init = fc.oneof(fc.dictionary(recordName, value), fc.array(fc.tuple(name, value), { maxLength: 6 }));
  fc.assert(
    fc.property(init, (given) => {
      const [theirs, ours] = [platform, lean].map(({ Headers }) => attempt(() => [...new Headers(given)]));
      expect(ours).toStrictEqual(theirs);
    }),
    { numRuns: 400 },
  );
});

test('any text and any bytes are read the same', async () => {
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 20 }),
    fc.string({ unit: 'grapheme' }),
  );
  await fc.assert(
    fc.asyncProperty(body, async (given) => {
      const [theirs, ours] = await Promise.all(
        [platform, lean].map(async ({ Response }) => {
          const response = new Response(given);
          const clone = response.clone();
          return [await response.text(), Buffer.from(await clone.arrayBuffer()).toString('hex')];
        }),
      );
      expect(ours).toStrictEqual(theirs);
    }),
    { numRuns: 300 },
  );
});
