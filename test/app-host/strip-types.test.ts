import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { stripTypes } from '../../src/app-host/strip-types.ts';
import { load } from '../../src/app-host/typescript-hooks.ts';
import { createTempFolder } from '../support/temp-folder.ts';

describe('stripping types', () => {
  test('moves no line and no column', () => {
    const source = 'interface A {\n  b: string;\n}\nconst a: A = { b: "x" }; throw a as never;\n';
    const code = stripTypes(source, '/a.ts');
    expect(code.split('\n')).toHaveLength(source.split('\n').length);
    expect(code.indexOf('throw')).toBe(source.indexOf('throw'));
    expect(code).not.toContain('interface');
  });

  test.each([
    ['wrong syntax', 'const a = 1;\nconst b = ;\n', '/srv/a.ts:2:11: Expression expected'],
    ['an enum', '\n\nenum A { b }\n', '/srv/a.ts:3:1: TypeScript enum is not supported in strip-only mode'],
    [
      'a parameter property',
      'class A { constructor(private b: string) {} }',
      '/srv/a.ts:1:31: TypeScript parameter property is not supported',
    ],
  ])('says where it failed: %s', (_, source, message) => {
    expect(() => stripTypes(source, '/srv/a.ts')).toThrow(SyntaxError);
    expect(() => stripTypes(source, '/srv/a.ts')).toThrow(message);
  });
});

describe('the load hook', () => {
  const next = async () => ({ format: 'json' as const, source: 'next', shortCircuit: true });
  const context = { conditions: [], format: null, importAttributes: {} } as unknown as Parameters<
    typeof load
  >[1];
  const folder = createTempFolder({
    'a.ts': 'export const a: number = 1;',
    'b.mts': 'export const b: number = 1;',
    'c.cts': 'const c: number = 1;',
    'commonjs/package.json': '{ "type": "commonjs" }',
    'commonjs/deep/a.ts': 'const a: number = 1;',
    'module/package.json': '{ "type": "module" }',
    'module/a.ts': 'export const a: number = 1;',
  });
  const loadFile = (name: string) => load(pathToFileURL(join(folder, name)).href, context, next);

  test.each([
    ['a.ts', 'module'],
    ['b.mts', 'module'],
    ['c.cts', 'commonjs'],
    ['commonjs/deep/a.ts', 'commonjs'],
    ['module/a.ts', 'module'],
  ])('takes %s as %s', async (name, format) => {
    const loaded = await loadFile(name);
    expect(loaded.format).toBe(format);
    expect(loaded.source).toMatch(/const \w {9}= 1;/);
  });

  test('takes a file with a query', async () => {
    expect((await load(`${pathToFileURL(join(folder, 'a.ts')).href}?v=2`, context, next)).format).toBe(
      'module',
    );
  });

  test.each(['file:///a.js', 'node:fs', 'data:text/javascript,1', 'file:///a.tsx', 'file:///a.json?x.ts'])(
    'leaves %s to Node',
    async (url) => {
      expect((await load(url, context, next)).source).toBe('next');
    },
  );
});
