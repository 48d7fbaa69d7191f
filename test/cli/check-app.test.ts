import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Finding, RuleId } from '../../src/base/check-messages.ts';
import { parseCheckAppArguments } from '../../src/cli/check-app-arguments.ts';
import {
  chooseExitCode,
  formatCheckJson,
  formatCheckReport,
  reportRules,
} from '../../src/cli/check-app-report.ts';
import { checkedRules } from '../../src/cli/check-app-rules.ts';
import type { CheckResult } from '../../src/cli/check-app-run.ts';
import { ArgumentError } from '../../src/cli/parse-arguments.ts';

const root = new URL('../../', import.meta.url).pathname;

function createResult(
  findings: Finding[],
  kept: RuleId[] = [],
  members: Partial<CheckResult> = {},
): CheckResult {
  return { refusal: null, kept: new Set(kept), findings, requests: 7, isIncomplete: false, ...members };
}

const thrown: Finding = { rule: 'G31', level: 'broken', occasion: 'GET /', detail: 'it threw' };
const left: Finding = { rule: 'G42', level: 'advice', occasion: 'the end', detail: 'a timer' };
const subject = { name: 'app.ts', interface: 'fetch', paths: ['/', '/a'] } as const;

describe('the arguments of check-app', () => {
  test('have defaults', () => {
    expect(parseCheckAppArguments(['app.ts'])).toEqual({
      file: 'app.ts',
      paths: ['/'],
      interface: 'fetch',
      env: {},
      cwd: '.',
      timeoutMs: 10_000,
      json: false,
    });
  });

  test('come in any order, paths once each', () => {
    const words = '--env A=1 app.ts /a?b=1 --json --interface node --env B=x=y /c /c --timeout 1m --cwd x';
    expect(parseCheckAppArguments(words.split(' '))).toEqual({
      file: 'app.ts',
      paths: ['/a?b=1', '/c'],
      interface: 'node',
      env: { A: '1', B: 'x=y' },
      cwd: 'x',
      timeoutMs: 60_000,
      json: true,
    });
  });

  test.each([
    [[], /missing required argument 'file'/],
    [['app.ts', 'api'], /"api" is no path/],
    [['app.ts', '/a b'], /is no path/],
    [['app.ts', '/a#b'], /is no path/],
    [['app.ts', '/é'], /is no path/],
    [['app.ts', '--interface', 'wsgi'], /Allowed choices are fetch, node/],
    [['app.ts', '--env', 'A'], /NAME=VALUE/],
    [['app.ts', '--env', '=1'], /NAME=VALUE/],
    [['app.ts', '--timeout', '10'], /a number and a unit/],
    [['app.ts', '--timeout', '0'], /a number and a unit/],
    [['app.ts', '--port', '80'], /unknown option/],
  ])('%j are refused', (words, problem) => {
    expect(() => parseCheckAppArguments(words)).toThrow(problem);
    expect(() => parseCheckAppArguments(words)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });

  test('ask for help', () => {
    try {
      parseCheckAppArguments(['--help']);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error).toMatchObject({ exitCode: 0, message: expect.stringContaining('--timeout <duration>') });
    }
  });
});

describe('the rules of check-app', () => {
  const plain = (text: string) => text.replaceAll('**', '').replaceAll(/\s+/g, ' ');
  const markdown = readFileSync(`${root}docs/gateway.md`, 'utf8');

  test.each(checkedRules.map((rule) => [rule.id, rule] as const))(
    '%s is in the words of the document',
    (id, rule) => {
      const section = markdown.split(`\n## ${rule.section}\n`)[1].split('\n## ')[0];
      const text = new RegExp(`^- \\*\\*${id}\\*\\*(?:(?!\n- |\n\n)[\\s\\S])*`, 'm').exec(section)?.[0] ?? '';
      expect(plain(text)).toContain(rule.sentence);
    },
  );

  test('come in their order, each once', () => {
    const numbers = checkedRules.map(({ id }) => Number(id.slice(1)));
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });

  test('are those that the validator and the command speak of', () => {
    const folders = ['src/app-host', 'src/app-host/validator', 'src/cli'];
    const files = folders.flatMap((folder) =>
      readdirSync(`${root}${folder}`).map((name) => `${root}${folder}/${name}`),
    );
    const texts = files
      .filter((file) => /\/(validat.*|check-app-run)\.ts$|\/validator\/.*\.ts$/.test(file))
      .map((file) => readFileSync(file, 'utf8'));
    const cited = new Set(texts.flatMap((text) => text.match(/(?<=')G\d+(?=')/g) ?? []));
    const ids = new Set<string>(checkedRules.map(({ id }) => id));
    expect([...cited].filter((id) => !ids.has(id))).toEqual([]);
    expect([...ids].filter((id) => !cited.has(id))).toEqual([]);
  });
});

describe('the report of check-app', () => {
  test('has a line for each rule, and one for each thing found with its requests', () => {
    const occasions = ['GET /', 'HEAD /', 'GET /', 'POST /', 'OPTIONS /', 'PROPFIND /'];
    const findings = [...occasions.map((occasion) => ({ ...thrown, occasion })), left];
    const lines = formatCheckReport(createResult(findings, ['G21', 'G31']), subject, false).split('\n');
    expect(lines[0]).toBe('app.ts: a gateway function, asked 7 times at / /a');
    expect(lines).toContain('  kept    G21  The function returns a `Response`, or a promise of one');
    expect(lines).toContain('  unused  G30  A response of status 204 or 304 goes out without a body.');
    const at = lines.findIndex((line) => line.startsWith('  BROKEN  G31  Before the first byte'));
    expect(lines[at + 1].trim()).toBe('- it threw [GET /, HEAD /, POST / and 2 more]');
    expect(lines).toContain('  advice  G42  `close` is called; the process exits.');
    expect(lines.at(-2)).toMatch(/^1 broken, 1 with advice, 1 kept, \d+ that nothing came under/);
    expect(lines.join('')).not.toContain('\x1b');
  });

  test('has colours when asked', () => {
    expect(formatCheckReport(createResult([thrown]), subject, true)).toContain('\x1b[31mBROKEN\x1b[0m  G31');
  });

  test('says whose fault it is, and that not everything was asked', () => {
    const fault: Finding = { ...thrown, rule: 'G11', level: 'host' };
    const text = formatCheckReport(createResult([fault], [], { isIncomplete: true }), subject, false);
    expect(text).toContain('- a fault of tsserve, please report it: it threw [GET /]');
    expect(text).toContain('not everything was asked');
  });

  test('has the rules of the interface, and whatever else something was found about', () => {
    const ids = (findings: Finding[]) =>
      reportRules(createResult(findings), 'node').map(({ rule }) => rule.id);
    expect(ids([])).toEqual(expect.arrayContaining(['G3', 'G51']));
    expect(ids([])).not.toContain('G11');
    expect(ids([{ ...thrown, rule: 'G11', level: 'host' }])).toContain('G11');
  });

  test('is the same for programs', () => {
    const report = JSON.parse(formatCheckJson(createResult([thrown, left], ['G21']), subject));
    expect(report).toMatchObject({ application: 'app.ts', interface: 'fetch', requests: 7, complete: true });
    const rules = report.rules as { id: string; verdict: string; findings: unknown[] }[];
    expect(rules.find(({ id }) => id === 'G31')).toMatchObject({
      verdict: 'broken',
      findings: [{ level: 'broken', detail: 'it threw', occasions: ['GET /'] }],
    });
    expect(rules.find(({ id }) => id === 'G42')).toMatchObject({ verdict: 'advice' });
    expect(rules.find(({ id }) => id === 'G21')).toMatchObject({ verdict: 'kept', findings: [] });
    const refused = createResult([], [], { refusal: 'app.ts:1:1: no' });
    expect(JSON.parse(formatCheckJson(refused, subject))).toMatchObject({ refusal: 'app.ts:1:1: no' });
  });
});

test('the exit code is 2 for what does not load, 1 for what is broken, 0 for advice', () => {
  expect(chooseExitCode(createResult([], [], { refusal: 'no' }))).toBe(2);
  expect(chooseExitCode(createResult([thrown]))).toBe(1);
  expect(chooseExitCode(createResult([{ ...thrown, level: 'host' }]))).toBe(1);
  expect(chooseExitCode(createResult([], [], { isIncomplete: true }))).toBe(1);
  expect(chooseExitCode(createResult([left]))).toBe(0);
});
