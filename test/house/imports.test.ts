import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  findForbiddenImports,
  findImportCycles,
  findRoadsToPackage,
  findRoom,
  readImportTable,
} from './import-rules.ts';
import { createSourceFile, listImports, readSourceFiles, repositoryRoot } from './source-file.ts';

const table = readImportTable(readFileSync(`${repositoryRoot}ARCHITECTURE.md`, 'utf8'));
const files = readSourceFiles();

describe('imports in src', () => {
  test('go only where the table of ARCHITECTURE.md allows', () => {
    expect(findForbiddenImports(files, table)).toEqual([]);
  });

  test('form no cycle', () => {
    expect(findImportCycles(files)).toEqual([]);
  });

  test('lead to files that exist', () => {
    const paths = new Set(files.map((file) => file.path));
    const missing = files.flatMap((file) =>
      listImports(file)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => new URL(specifier, `file:///${file.path}`).pathname.slice(1))
        .filter((path) => !paths.has(path))
        .map((path) => `${file.path} imports ${path}`),
    );
    expect(missing).toEqual([]);
  });

  test('never load zod where requests are served or applications run', () => {
    const starts = files
      .map((file) => file.path)
      .filter(
        (path) => !/^(config|server|process|cli|index\.ts)\b/.test(path) && !path.endsWith('-shape.ts'),
      );
    expect(files.map((file) => file.path)).toContain('process/worker-main.ts');
    expect(findRoadsToPackage(files, starts, 'zod')).toEqual([]);
  });
});

describe('the import table', () => {
  test('has a row for each room', () => {
    expect(table.get('http1')).toEqual(['message', 'base']);
    expect(table.get('base')).toEqual([]);
    expect(table.get('server')).toContain('handlers/*');
  });

  test('must be there', () => {
    expect(() => readImportTable('# no table\n')).toThrow('no import table');
  });
});

describe('a planted violation is found', () => {
  const planted = (path: string, text: string) => findForbiddenImports([createSourceFile(path, text)], table);

  test.each([
    ['upstairs', 'base/clock.ts', "import { Reply } from '../message/reply.ts';"],
    ['on the same floor', 'router/match.ts', "import { a } from '../http1/a.ts';"],
    ['between handlers', 'handlers/static/a.ts', "import { b } from '../proxy/b.ts';"],
    ['between middleware', 'middleware/headers/a.ts', "import { b } from '../cache/b.ts';"],
    ['of a type only', 'http1/a.ts', "import type { Site } from '../server/site.ts';"],
    ['of an import() type', 'http1/a.ts', "export type A = import('../server/site.ts').Site;"],
    ['loaded dynamically', 'process/a.ts', "await import('../app-host/main.ts');"],
    ['re-exported', 'http1/a.ts', "export { Site } from '../server/site.ts';"],
    ['re-exported as a whole', 'http1/a.ts', "export * from '../server/site.ts';"],
  ])('%s', (_, path, text) => {
    expect(planted(path, text)).toHaveLength(1);
  });

  test('in a file of no room', () => {
    expect(planted('shed/a.ts', '')).toEqual(['shed/a.ts stands in no room of the table']);
    expect(planted('handlers/a.ts', '')).toEqual(['handlers/a.ts stands in no room of the table']);
  });

  test('in a cycle, through a type as well', () => {
    const cycle = [
      createSourceFile('base/a.ts', "import { b } from './b.ts';"),
      createSourceFile('base/b.ts', "import { c } from './c.ts';"),
      createSourceFile('base/c.ts', "import type { b } from './b.ts';"),
    ];
    expect(findImportCycles(cycle)).toEqual(['base/b.ts -> base/c.ts -> base/b.ts']);
  });

  test('in a road to a package, but not through types', () => {
    const road = [
      createSourceFile('handlers/x/create-x.ts', "import { b } from './b.ts';"),
      createSourceFile('handlers/x/b.ts', "import { z } from 'zod';"),
      createSourceFile('handlers/y/create-y.ts', "import type { Y } from './y-shape.ts';"),
      createSourceFile('handlers/y/y-shape.ts', "import { z } from 'zod/v4';"),
    ];
    const starts = ['handlers/x/create-x.ts', 'handlers/y/create-y.ts'];
    expect(findRoadsToPackage(road, starts, 'zod')).toEqual([
      'handlers/x/create-x.ts -> handlers/x/b.ts -> zod',
    ]);
  });
});

test('what is allowed is not reported', () => {
  const allowed = [
    createSourceFile('handlers/proxy/a.ts', "import { b } from './b.ts'; import '../../upstream/c.ts';"),
    createSourceFile('server/site.ts', "import '../handlers/static/a.ts'; import 'node:fs';"),
  ];
  expect(findForbiddenImports(allowed, table)).toEqual([]);
  expect(findRoom('config/shape/size.ts')).toBe('config');
});
