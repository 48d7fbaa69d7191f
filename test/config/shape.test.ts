import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { parseInDirectory, resolveConfigPath } from '../../src/config/shape/base-directory.ts';
import { duration, parseDuration, positiveDuration } from '../../src/config/shape/duration.ts';
import { fieldName } from '../../src/config/shape/field-name.ts';
import { existingDirectory, existingFile, filePath, writtenFile } from '../../src/config/shape/file-path.ts';
import { findRegexProblem, regexText } from '../../src/config/shape/regex-text.ts';
import { parseSize, size } from '../../src/config/shape/size.ts';
import { templateText } from '../../src/config/shape/template-text.ts';
import { createTempFolder } from '../support/temp-folder.ts';

// Whoever runs the tests may be root, who may write everything.
vi.mock('node:fs', async (load) => ({ ...(await load<object>()), accessSync: vi.fn() }));

/** The value, or the problem with its hint in brackets. */
function check(shape: z.ZodType, value: unknown, directory = '/etc/site'): unknown {
  const result = parseInDirectory(directory, () => shape.safeParse(value));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const hint = issue.code === 'custom' ? issue.params?.hint : '';
  return `${issue.message} [${hint}]`;
}

const durationExamples = 'write a number and a unit, such as "500ms", "5s", "1m" or "1h"';

describe('duration', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h 30m', 5_400_000],
    ['1m30s', 90_000],
    ['0', 0],
    ['0s', 0],
    [0, 0],
    ['24d', 2_073_600_000],
  ])('%j is %d milliseconds', (value, expected) => {
    expect(check(duration(), value)).toBe(expected);
  });

  test.each([
    [5, 'a duration needs a unit, but found 5 [write "5s" for seconds or "5ms" for milliseconds]'],
    ['60', 'a duration needs a unit, but found "60" [write "60s" for seconds or "60ms" for milliseconds]'],
    ['5 s', `"5 s" is not a duration [${durationExamples}]`],
    ['5sec', `"5sec" is not a duration [${durationExamples}]`],
    ['-5s', `"-5s" is not a duration [${durationExamples}]`],
    ['1.5s', `"1.5s" is not a duration [${durationExamples}]`],
    ['', `"" is not a duration [${durationExamples}]`],
    [-1, `a duration needs a unit, but found -1 [${durationExamples}]`],
    ['25d', '"25d" is too long [at most "24d"]'],
    [`${'9'.repeat(400)}s`, `"${'9'.repeat(400)}s" is too long [at most "24d"]`],
  ])('%j is refused', (value, expected) => {
    expect(check(duration(), value)).toBe(expected);
  });

  test.each([
    ['1ms', 1],
    ['0h 2s', 2000],
    ['0', 'this time must be longer than 0 []'],
    ['0s', 'this time must be longer than 0 []'],
    [0, 'this time must be longer than 0 []'],
    [5, 'a duration needs a unit, but found 5 [write "5s" for seconds or "5ms" for milliseconds]'],
  ])('that must be longer than 0: %j gives %j, and its schema agrees', (value, expected) => {
    expect(check(positiveDuration(), value)).toBe(expected);
    const schema = z.toJSONSchema(positiveDuration(), { io: 'input' });
    expect(schema.type).toBe('string');
    if (typeof value === 'string')
      expect(new RegExp(schema.pattern as string).test(value)).toBe(typeof expected === 'number');
  });

  test('V19: a long text that almost is a duration is refused at once', () => {
    const startedAtMs = performance.now();
    expect(parseDuration(`${'1s'.repeat(100_000)}!`)).toBeNaN();
    expect(performance.now() - startedAtMs).toBeLessThan(100);
  });
});

const sizeExamples = 'write a whole number of bytes, or one with a unit, such as "16k", "1m" or "1g"';

describe('size', () => {
  test.each([
    [0, 0],
    [65_536, 65_536],
    ['512', 512],
    ['16k', 16_384],
    ['16K', 16_384],
    ['1m', 1_048_576],
    ['2g', 2_147_483_648],
  ])('%j is %d bytes', (value, expected) => {
    expect(check(size(), value)).toBe(expected);
  });

  test.each([
    ['16kb', '"16kb" is not a size [did you mean "16k"?]'],
    ['16 MiB', '"16 MiB" is not a size [did you mean "16m"?]'],
    ['1.5m', `"1.5m" is not a size [${sizeExamples}]`],
    [1.5, `1.5 is not a size [${sizeExamples}]`],
    [-1, `-1 is not a size [${sizeExamples}]`],
    ['', `"" is not a size [${sizeExamples}]`],
    ['999999999999999g', `"999999999999999g" is not a size [${sizeExamples}]`],
  ])('%j is refused', (value, expected) => {
    expect(check(size(), value)).toBe(expected);
  });

  test('a text of too many digits is no size', () => {
    expect(parseSize('9'.repeat(16))).toBeNaN();
  });
});

describe('templateText', () => {
  test.each(['plain', '$host', '$http_x_y', '$$5', '/$is_args$args'])('%j stays as written', (text) => {
    expect(check(templateText(), text)).toBe(text);
  });

  test.each([
    ['$hots', 'unknown variable "$hots" [did you mean "$host"?]'],
    ['$zzzzzz', 'unknown variable "$zzzzzz" []'],
    ['costs 5$', 'a "$" that begins no variable (write "$$" for a dollar sign) []'],
    ['$http_', 'unknown variable "$http_" [a name must follow, as in "$http_x"]'],
  ])('%j is refused', (text, expected) => {
    expect(check(templateText(), text)).toBe(expected);
  });
});

describe('paths', () => {
  test('a path starts from the folder of the config', () => {
    expect(check(filePath(), '../run/site.pid')).toBe('/etc/run/site.pid');
    expect(check(filePath(), '/var/run/site.pid')).toBe('/var/run/site.pid');
  });

  test('the folder of a parse is forgotten after it, also when the parse fails', () => {
    const fail = () => {
      throw new Error('in the middle');
    };
    expect(() => parseInDirectory('/etc/site', fail)).toThrow('in the middle');
    expect(resolveConfigPath('x')).toBe(join(process.cwd(), 'x'));
  });

  test.each([
    ['', 'a path cannot be empty []'],
    ['a\0b', 'a path cannot hold a NUL character []'],
  ])('%j is refused', (text, expected) => {
    for (const shape of [filePath(), existingDirectory(), existingFile(), writtenFile()]) {
      expect(check(shape, text)).toBe(expected);
    }
  });

  test('a file or folder that is there is given back as an absolute path', () => {
    const folder = createTempFolder({ 'public/index.html': '' });
    expect(check(existingDirectory(), 'public', folder)).toBe(`${folder}/public`);
    expect(check(existingFile(), 'public/index.html', folder)).toBe(`${folder}/public/index.html`);
  });

  test('a file to be written may be missing, its folder may not', () => {
    const folder = createTempFolder({ 'logs/old.log': '' });
    expect(check(writtenFile(), 'logs/old.log', folder)).toBe(`${folder}/logs/old.log`);
    expect(check(writtenFile(), 'logs/new.log', folder)).toBe(`${folder}/logs/new.log`);
    expect(check(writtenFile(), '/dev/stdout', folder)).toBe('/dev/stdout');
    expect(check(writtenFile(), 'logs', folder)).toBe(
      `expected a file, but found a folder: ${folder}/logs []`,
    );
    expect(check(writtenFile(), 'log/x', folder)).toBe(
      `folder not found: ${folder}/log [did you mean "logs"?]`,
    );
    expect(check(writtenFile(), 'logs/old.log/x', folder)).toBe(
      `expected a folder, but found a file: ${folder}/logs/old.log []`,
    );
  });

  test.each([
    ['EACCES', 'no permission to write to'],
    ['EROFS', 'the file system of'],
  ])('a file that could not be written (%s) is a problem', (code, words) => {
    const folder = createTempFolder({ 'logs/old.log': '' });
    vi.mocked(accessSync).mockImplementation(() => {
      throw Object.assign(new Error(code), { code });
    });
    expect(check(writtenFile(), 'logs/old.log', folder)).toContain(`${words} ${folder}/logs/old.log`);
    expect(check(writtenFile(), 'logs/new.log', folder)).toContain(`${words} ${folder}/logs`);
    vi.mocked(accessSync).mockReset();
  });

  test('T29: a missing one is a problem that names its nearest neighbour', () => {
    const folder = createTempFolder({ 'public/index.html': '' });
    const problems: [z.ZodType, string, string][] = [
      [existingDirectory(), 'pubilc', `folder not found: ${folder}/pubilc [did you mean "public"?]`],
      [existingDirectory(), 'zzz', `folder not found: ${folder}/zzz []`],
      [
        existingDirectory(),
        'no/such',
        `folder not found: ${folder}/no/such [there is no ${folder}/no either]`,
      ],
      [
        existingFile(),
        'public/x/y',
        `file not found: ${folder}/public/x/y [there is no ${folder}/public/x either]`,
      ],
      [
        existingFile(),
        'public/index.html/x',
        `file not found: ${folder}/public/index.html/x [there is no ${folder}/public/index.html either]`,
      ],
      [existingFile(), 'public', `expected a file, but found a folder: ${folder}/public []`],
      [
        existingDirectory(),
        'public/index.html',
        `expected a folder, but found a file: ${folder}/public/index.html []`,
      ],
    ];
    for (const [shape, text, expected] of problems) expect(check(shape, text, folder)).toBe(expected);
  });
});

describe('fieldName', () => {
  test.each(['Cache-Control', 'x_y', "!#$%&'*+-.^_`|~"])('%j is a field name', (name) => {
    expect(check(fieldName(), name)).toBe(name);
  });

  test.each(['', 'a b', 'a:', 'é', 'a\r\nb', 'a\n'])('V11: %j is none', (name) => {
    expect(check(fieldName(), name)).toContain('is not a header field name');
  });
});

describe('regexText', () => {
  test('a regular expression comes out as written', () => {
    expect(check(regexText(), '\\.(png|jpg)$')).toBe('\\.(png|jpg)$');
  });

  test.each([
    ['(', 'bad regular expression: unterminated group []'],
    ['[a', 'bad regular expression: unterminated character class []'],
    ['*a', 'bad regular expression: nothing to repeat []'],
    ['(?<n>a)(?<n>b)', 'bad regular expression: duplicate capture group name []'],
  ])('%j is refused', (text, expected) => {
    expect(check(regexText(), text)).toBe(expected);
  });

  test('the flags with which it will be compiled count', () => {
    expect(findRegexProblem('\\-')).toBeNull();
    expect(findRegexProblem('\\-', 'u')).toBe('invalid escape');
  });
});
