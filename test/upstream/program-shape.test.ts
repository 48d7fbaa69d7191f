import { describe, expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { upstreamShape } from '../../src/upstream/upstream-shape.ts';

const here = import.meta.dirname;
const app = 'program-shape.test.ts';

function parse(settings: object): Record<string, unknown> {
  return parseInDirectory(here, () => upstreamShape.parse(settings)) as Record<string, unknown>;
}

/** Every problem with its place and hint, of the branch that has no problem with the keys. */
function findProblems(settings: object): string[] {
  const result = parseInDirectory(here, () => upstreamShape.safeParse(settings));
  if (result.success) return [];
  const found: string[] = [];
  const collect = (issues: readonly unknown[]): void => {
    for (const issue of issues as { message: string; errors?: unknown[][]; params?: { hint: string } }[]) {
      found.push(`${issue.message} (${issue.params?.hint ?? ''})`);
      for (const branch of issue.errors ?? []) collect(branch);
    }
  };
  collect(result.error.issues);
  return found;
}

test('a program has the defaults of an application, where it has the keys', () => {
  expect(parse({ command: ['serve', '{socket}'] })).toMatchObject({
    command: ['serve', '{socket}'],
    instances: 1,
    cwd: here,
    balance: 'least_conn',
    startTimeout: 30_000,
    drainTimeout: 30_000,
    maxMemory: 0,
  });
});

describe('a program must be told where to listen', () => {
  test('by "{socket}" or "{port}", in its arguments or its environment', () => {
    for (const settings of [
      { command: ['a', '--bind=unix:{socket}'] },
      { command: ['a', '{port}'] },
      { command: ['a'], env: { PORT: '{port}' } },
    ]) {
      expect(findProblems(settings)).toEqual([]);
    }
  });

  test('or that is a problem, with the nearest name', () => {
    expect(findProblems({ command: ['a'] }).join()).toMatch(/nothing tells the program where to listen/);
    expect(findProblems({ command: ['a', '{sokcet}'] }).join()).toMatch(
      /did you mean "\{socket\}" for "\{sokcet\}"\?/,
    );
  });

  test('by one of the two', () => {
    expect(findProblems({ command: ['a', '{port}', '{socket}'] }).join()).toMatch(/not on both/);
  });

  test('and its arguments hold no NUL', () => {
    expect(findProblems({ command: ['a\0', '{port}'] }).join()).toMatch(/NUL/);
  });
});

describe('what a process runs as', () => {
  test('is looked up by name or number', () => {
    expect(parse({ app, user: 'root', group: 'root' })).toMatchObject({
      user: { uid: 0, gid: 0, name: 'root', home: '/root' },
      group: 0,
    });
    expect(parse({ app, user: 0 }).user).toMatchObject({ name: 'root' });
    expect(parse({ app, user: 987_654 }).user).toEqual({
      uid: 987_654,
      gid: 987_654,
      name: '987654',
      home: '/',
    });
    expect(parse({ app, group: 987_654 }).group).toBe(987_654);
  });

  test('must exist when it is a name', () => {
    expect(findProblems({ app, user: 'nobdy' }).join()).toMatch(
      /there is no user "nobdy" on this system \(did you mean "nobody"\?\)/,
    );
    expect(findProblems({ app, group: 'no such group' }).join()).toMatch(/there is no group "no such group"/);
  });

  test('has a umask in octal digits and a heap in MiB', () => {
    expect(parse({ app, umask: '027', heap: '1g' })).toMatchObject({ umask: 0o027, heap: 1024 });
    expect(findProblems({ app, umask: '9' }).join()).toMatch(/three octal digits/);
    expect(findProblems({ app, heap: '1m' }).join()).toMatch(/at least "32m"/);
  });
});

test('readiness is a request, or for programs a line of output', () => {
  expect(parse({ app, ready: { path: '/healthz', status: 204 } }).ready).toEqual({
    path: '/healthz',
    status: 204,
  });
  const command = ['a', '{port}'];
  expect(parse({ command, ready: { line: 'listening' } }).ready).toEqual({ line: 'listening' });
  expect(findProblems({ command, ready: { line: '(' } }).join()).toMatch(/bad regular expression/);
  expect(findProblems({ command, ready: { path: 'healthz' } }).join()).toMatch(/begins with "\/"/);
});
