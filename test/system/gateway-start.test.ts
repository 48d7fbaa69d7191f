import { beforeAll, describe, expect, test } from 'vitest';
import { type StartedServer, startServer } from '../support/start-server.ts';

/** A broken module, and its report with `$` for the folder. */
const broken: Record<string, { text: string; interface?: 'node'; report: string[] }> = {
  'syntax.mjs': {
    text: 'const a = 1;\n\tconst b = };\n',
    report: [
      "$/syntax.mjs:2:12: SyntaxError: Unexpected token '}'",
      '  1 | const a = 1;',
      '  2 | \tconst b = };',
      '    | \t          ^',
    ],
  },
  'syntax.cjs': {
    text: 'const b = };\n',
    report: [
      "$/syntax.cjs:1:11: SyntaxError: Unexpected token '}'",
      '  1 | const b = };',
      '    |           ^',
    ],
  },
  'import-syntax.mjs': {
    text: "export default () => {};\nimport './syntax.mjs';\n",
    report: ["$/syntax.mjs:2:12: SyntaxError: Unexpected token '}'"],
  },
  'enum.ts': { text: 'export default 1;\nenum A { B }\n', report: ['$/enum.ts:2:1: ', 'enum A { B }', '^'] },
  'no-such-export.mjs': {
    text: "import { readFiles } from 'node:fs';\n",
    report: ['$/no-such-export.mjs:1:10: SyntaxError: ', "1 | import { readFiles } from 'node:fs';", '^'],
  },
  'no-package.mjs': {
    text: "const a = 1;\nimport x from 'not-there';\n",
    report: [
      "$/no-package.mjs:2:16: Error: Cannot find package 'not-there' imported from $/no-package.mjs",
      "  2 | import x from 'not-there';",
      '    |                ^',
    ],
  },
  'no-file.mjs': {
    text: "import x from './lib/none.mjs';\n",
    report: ["$/no-file.mjs:1:16: Error: Cannot find module '$/lib/none.mjs' imported from $/no-file.mjs"],
  },
  'no-module.cjs': {
    text: "const x = require('not-there');\n",
    report: [
      "$/no-module.cjs:1:11: Error: Cannot find module 'not-there'",
      "1 | const x = require('not-there');",
    ],
  },
  'throws.ts': {
    text: 'interface A {}\nfunction open(): never {\n  throw new RangeError("at load", { cause: new Error("why") });\n}\nopen();\n',
    report: [
      '$/throws.ts:3:9: RangeError: at load',
      '  3 |   throw new RangeError("at load", { cause: new Error("why") });',
      '    |         ^',
      '    at open (file://$/throws.ts:3:9)',
      'caused by Error: why',
    ],
  },
  'throws-text.mjs': {
    text: 'throw "text";\n',
    report: ['$/throws-text.mjs: loading it failed: thrown: text'],
  },
  'later.mjs': {
    text: 'setTimeout(() => { throw new Error("later"); });\nawait new Promise(() => {});\n',
    report: ['$/later.mjs:1:26: Error: later'],
  },
  'init.mjs': {
    text: 'export default () => new Response();\nexport async function init() {\n  throw new Error("no database");\n}\n',
    report: [
      '$/init.mjs:3:9: Error: no database',
      '  3 |   throw new Error("no database");',
      '    |         ^',
    ],
  },
  'init-text.mjs': {
    text: 'export default () => new Response();\nexport const init = "x";\n',
    report: ['$/init-text.mjs: the export "init" must be a function, but it is a string'],
  },
  'nothing.mjs': {
    text: 'export const fetch = () => {};\n',
    report: ['$/nothing.mjs: the default export must be', 'but it has no default export, only fetch'],
  },
  'data.json': { text: '{}', report: ['$/data.json: ".json" is no module: an application is a .js, '] },
  'listens.mjs': {
    text: "import { createServer } from 'node:http';\nexport default createServer();\n",
    report: ['$/listens.mjs: the default export must be a function'],
  },
};

const names = Object.keys(broken);
const toUpstream = (name: string) => name.replaceAll(/\W/g, '_');
let server: StartedServer;

beforeAll(async () => {
  const upstreams = names.map((name) => [toUpstream(name), { app: name }] as const);
  server = await startServer(
    { workers: 1, upstreams: Object.fromEntries(upstreams), routes: [{ path: '/', return: 204 }] },
    { files: Object.fromEntries(names.map((name) => [name, broken[name].text])), timeoutMs: 40_000 },
  );
});

/** What the first instance of an upstream wrote until it ended. */
async function readReport(upstream: string): Promise<string> {
  await server.process.waitForStderr(new RegExp(`\\b${upstream}#1 \\(pid \\d+\\) exited`), 40_000);
  const log = server.process.stderr;
  const ours = log.slice(0, log.search(new RegExp(`\\b${upstream}#1 \\(pid`))).split('\n');
  const label = `[${upstream}#1] `;
  const lines = ours.filter((line) => line.includes(label));
  return lines.map((line) => line.slice(line.indexOf(label) + label.length)).join('\n');
}

describe('G7: a module that is no application is reported with its place, and without the inside of Node', () => {
  test.each(names)('%s', async (name) => {
    const report = await readReport(toUpstream(name));
    for (const part of broken[name].report) expect(report).toContain(part.replaceAll('$', server.folder));
    expect(report).not.toMatch(/node:internal|Node\.js v|app-host\/\w/);
    expect(report.startsWith(`${server.folder}/`)).toBe(true);
  });
});
