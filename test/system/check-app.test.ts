// `tsserve check-app` as it is run: what it says of applications that pass, of those that do things to their process, and
// of those that do not load.

import { describe, expect, test } from 'vitest';
import { repositoryRoot, runTsserve } from '../support/run-tsserve.ts';
import { createTempFolder } from '../support/temp-folder.ts';

interface RuleVerdict {
  readonly id: string;
  readonly verdict: 'kept' | 'broken' | 'advice' | 'unused';
  readonly findings: readonly { detail: string; occasions: readonly string[] }[];
}

interface Report {
  readonly requests: number;
  readonly complete: boolean;
  readonly rules: readonly RuleVerdict[];
}

interface Checked {
  readonly code: number | null;
  readonly stderr: string;
  readonly broken: readonly string[];
  readonly advised: readonly string[];
  readonly kept: readonly string[];
  /** All that was found, line by line. */
  readonly text: string;
  readonly report: Report;
}

async function run(text: string, args: readonly string[] = [], name = 'app.mjs') {
  const cwd = createTempFolder({ [name]: text });
  return runTsserve(['check-app', name, ...args], { cwd, timeoutMs: 50_000 });
}

async function check(text: string, args: readonly string[] = [], name?: string): Promise<Checked> {
  const { code, stdout, stderr } = await run(text, ['--json', ...args], name);
  const report = JSON.parse(stdout) as Report;
  const list = (verdict: RuleVerdict['verdict']) =>
    report.rules.filter((rule) => rule.verdict === verdict).map(({ id }) => id);
  return {
    code,
    stderr,
    broken: list('broken'),
    advised: list('advice'),
    kept: list('kept'),
    text: report.rules.flatMap(({ findings }) => findings.map(({ detail }) => detail)).join('\n'),
    report,
  };
}

const respond = "new Response('x')";
const packages = JSON.stringify(`${repositoryRoot}node_modules/`);
/** Applications find packages beside themselves; these lie elsewhere. */
const require = `import { createRequire } from 'node:module';\nconst require = createRequire(${packages});\n`;

describe('an application passes', () => {
  test('that is a plain function, in TypeScript', async () => {
    const text =
      "export default (request: Request) => new Response('Hello from ' + new URL(request.url).pathname);";
    const { code, stdout, stderr } = await run(text, ['/', '/you'], 'hello.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^hello\.ts: a gateway function, asked \d\d times at \/ \/you\n\nLoading\n {2}kept {4}G2 /,
    );
    expect(stdout).toMatch(/\n0 broken, 0 with advice, \d\d kept, \d+ that nothing came under .*\n$/);
    expect(stdout).not.toContain('\x1b');
  });

  test('that is a Hono application', async () => {
    const text = `${require}
      const { Hono } = require('hono');
      const app = new Hono();
      app.get('/api/hello', (c) => c.json({ hello: 'world' }));
      app.post('/api/hello', async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)));
      app.onError((error, c) => c.text('unread', 400));
      export default app;`;
    expect(await check(text, ['/api/hello'])).toMatchObject({ code: 0, broken: [], advised: [] });
  });

  test('that is an Express application', async () => {
    const text = `${require}
      const express = require('express');
      const app = express();
      app.use(express.json());
      app.get('/', (_, response) => void response.send('hello'));
      app.post('/', (request, response) => void response.json(request.body ?? null));
      export default app;`;
    const checked = await check(text, ['--interface', 'node']);
    expect(checked).toMatchObject({ code: 0, broken: [], advised: [] });
    expect(checked.kept).toEqual(expect.arrayContaining(['G3', 'G27', 'G50', 'G51', 'G52']));
  });

  test('that has hooks, reads its environment and its folder, and closes what it opens', async () => {
    const text = `
      let timer;
      export const init = ({ upstream, instance, log }) => {
        log(upstream, instance, process.env.COLOUR, process.env.SECRET, process.cwd());
        timer = setInterval(() => {}, 1000);
      };
      export const close = () => clearInterval(timer);
      export default () => ${respond};`;
    const folder = createTempFolder();
    const checked = await check(text, ['--env', 'COLOUR=red', '--cwd', folder]);
    expect(checked).toMatchObject({ code: 0, broken: [], advised: [] });
    expect(checked.stderr).toContain(`[app] app 1 red undefined ${folder}\n`);
    expect(checked.kept).toEqual(expect.arrayContaining(['G5', 'G6', 'G8', 'G42', 'G44']));
  });
});

/** Applications by the rule that they break. */
const broken: [rule: string, name: string, text: string, says: RegExp, args?: string[]][] = [
  [
    'G3',
    'listens by itself',
    `import { createServer } from 'node:http';
     const app = (_, response) => response.end('x');
     createServer(app).listen(0, '127.0.0.1').unref();
     export default app;`,
    /listens on port \d+ itself/,
    ['--interface', 'node'],
  ],
  [
    'G6',
    'fails to close',
    `export default () => ${respond};
     export async function close() {
       throw new Error('no disk');
     }`,
    /close failed: Error: no disk \(at app\.mjs:3:\d+\)/,
  ],
  [
    'G14',
    'reads a body twice',
    'export default async (request) => new Response((await request.text()) + (await request.text()));',
    /a body was read twice: TypeError: the body was already read \(at app\.mjs:1:\d+\)/,
  ],
  [
    'G16',
    'reads a body behind its response',
    `export default (request) => {
       setTimeout(() => request.text(), 10);
       return ${respond};
     };`,
    /a rejection was not handled: TypeError: the request is over/,
  ],
  [
    'G33',
    'leaves a rejection to nobody',
    `export default () => {
       Promise.reject(new Error('forgotten'));
       return ${respond};
     };`,
    /a rejection was not handled: Error: forgotten \(at app\.mjs:2:\d+\)/,
  ],
  [
    'G33',
    'throws where nobody catches',
    `export default (request) => {
       if (request.method === 'OPTIONS') setTimeout(() => { throw new Error('late'); });
       return ${respond};
     };`,
    /an exception was not caught: Error: late \(at app\.mjs:2:\d+\)/,
  ],
  [
    'G33',
    'has an abort listener that fails',
    `let posts = 0;
     export default async (request, { signal }) => {
       signal.addEventListener('abort', () => { throw new Error('listener'); });
       if (request.method === 'POST') posts++;
       // The first behind the POSTs: its client leaves.
       else if (posts > 0 && posts < 100) await new Promise((resolve) => {
         posts = 100;
         signal.addEventListener('abort', resolve);
       });
       return ${respond};
     };`,
    /an abort listener failed: Error: listener/,
  ],
  [
    'G40',
    'computes for ever',
    `export default (request) => {
       while (request.method === 'OPTIONS');
       return ${respond};
     };`,
    /event loop was blocked for 3 s/,
    ['--timeout', '3s'],
  ],
  [
    'G44',
    'does not come to the end of its work',
    `export default (_, { waitUntil }) => {
       waitUntil(new Promise(() => {}));
       return ${respond};
     };`,
    /work given to waitUntil, did not come to their end/,
    ['--timeout', '3s'],
  ],
  [
    'G44',
    'does not come to the end of close',
    `export default () => ${respond};
     export const close = () => new Promise(() => {});`,
    /close did not end in time/,
    ['--timeout', '3s'],
  ],
  [
    'G51',
    'writes behind the end, which nobody catches',
    `export default (_, response) => {
       response.end('x');
       response.write('y');
     };`,
    /write was called behind end/,
    ['--interface', 'node'],
  ],
  [
    'G52',
    'calls process.exit',
    `export default (request) => {
       if (request.method === 'OPTIONS') process.exit(3);
       return ${respond};
     };`,
    /process\.exit\(3\) was called \(at app\.mjs:2:\d+\)/,
  ],
  [
    'G52',
    'ends its process otherwise',
    `export default (request) => {
       if (request.method === 'OPTIONS') process.kill(process.pid, 'SIGKILL');
       return ${respond};
     };`,
    /the process was killed/,
  ],
];

describe('an application is told which rule it breaks when it', () => {
  test.each(broken)('%s: %s', async (rule, _, text, says, args) => {
    const checked = await check(text, args);
    expect({ code: checked.code, broken: checked.broken }).toEqual({ code: 1, broken: [rule] });
    expect(checked.text).toMatch(says);
    // A process that ended is started again, and asked what is left.
    expect(checked.report.complete).toBe(true);
    expect(checked.report.requests).toBeGreaterThan(20);
  });

  test('G52: ends its process again and again: the rest is left', async () => {
    const { code, broken: rules, report } = await check('export default () => process.abort();');
    expect({ code, rules, complete: report.complete }).toEqual({ code: 1, rules: ['G52'], complete: false });
  });
});

const advised: [rule: string, name: string, text: string, says: RegExp, args?: string[]][] = [
  [
    'G3',
    'has another server that listens',
    `import { createServer } from 'node:http';
     createServer().listen(0, '127.0.0.1').unref();
     export default (_, response) => response.end('x');`,
    /a server of the application listens on port/,
    ['--interface', 'node'],
  ],
  [
    'G42',
    'leaves a timer',
    `setInterval(() => {}, 1000);
     export default () => ${respond};`,
    /left open and cut off: a timer \(made at app\.mjs:1:1\)/,
  ],
  [
    'G42',
    'leaves a server',
    `import { createServer } from 'node:net';
     const server = createServer();
     server.listen(0, '127.0.0.1');
     export default () => ${respond};`,
    /left open and cut off: a TCP server$/,
  ],
  [
    'G48',
    'adds to Response',
    `Response.prototype.shout = function () { return this.text(); };
     export default () => ${respond};`,
    /Response\.prototype\.shout was added/,
  ],
];

describe('an application is advised, and passes, when it', () => {
  test.each(advised)('%s: %s', async (rule, _, text, says, args) => {
    const { code, broken: rules, advised: found, text: said } = await check(text, args);
    expect({ code, rules, found }).toEqual({ code: 0, rules: [], found: [rule] });
    expect(said).toMatch(says);
  });
});

describe('an application that does not load is an error with its place', () => {
  const refusals: [name: string, text: string, says: RegExp, args?: string[]][] = [
    [
      'syntax',
      'const a = };\n',
      /\/app\.mjs:1:11: SyntaxError: Unexpected token '\}'\n {2}1 \| const a = \};\n/,
    ],
    ['no application', 'export default 1;', /\/app\.mjs: the default export must be a function/],
    [
      'a listener',
      'const app = () => {};\napp.listen = () => {};\nexport default app;',
      /set "interface": "node" for it/,
    ],
    [
      'a failing init',
      'export const init = () => { throw new Error("no database"); };\nexport default () => {};',
      /\/app\.mjs:1:35: Error: no database/,
    ],
    [
      'an exit',
      'process.exit(0);',
      /process\.exit\(0\) was called \(at app\.mjs:1:9\) before the application was ready/,
    ],
    [
      'a death',
      'process.kill(process.pid, "SIGKILL");',
      /the process was killed .* before the application was ready/,
    ],
    [
      'an init that takes too long',
      'export const init = () => new Promise(() => {});\nexport default () => {};',
      /G8: the application was not ready within 3 s/,
      ['--timeout', '3s'],
    ],
    ['a loop', 'for (;;);', /G8: the application was not ready within 3 s/, ['--timeout', '3s']],
  ];

  test.each(refusals)('%s', async (_, text, says, args) => {
    const { code, stdout, stderr } = await run(text, args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
  });

  test('for programs too', async () => {
    const { code, stdout } = await run('export default 1;', ['--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      refusal: expect.stringContaining('the default export must be'),
    });
  });
});

describe('tsserve check-app', () => {
  test.each([
    [['check-app'], 2, /missing required argument 'file'/],
    [['check-app', 'none.ts'], 2, /there is no file none\.ts/],
    [['check-app', 'app.mjs', 'api'], 2, /"api" is no path/],
    [['check-app', 'app.mjs', '--cwd', 'none'], 2, /--cwd: there is no folder none/],
  ])('%j exits %d', async (args, code, says) => {
    const cwd = createTempFolder({ 'app.mjs': `export default () => ${respond};` });
    const result = await runTsserve(args, { cwd });
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(says);
  });

  test('is found in the help', async () => {
    expect((await runTsserve(['--help'])).stdout).toContain('tsserve check-app --help');
    const { code, stdout } = await runTsserve(['check-app', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--interface <kind>');
  });

  test('leaves what the application writes on standard error', async () => {
    const text = `export default () => { console.log('out'); console.error('err'); return ${respond}; };`;
    const { stdout, stderr } = await run(text);
    expect(stderr).toMatch(/^\[app\] (out|err)\n/);
    expect(stderr).toContain('[app] err\n');
    expect(stdout).not.toContain('[app]');
  });
});
