import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findApplication, findHooks, loadModule } from '../../src/app-host/load-application.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const file = '/srv/app.js';
const respond = () => new Response('x');
const listener = Object.assign((_request: unknown, _response: unknown) => {}, { listen() {}, handle() {} });

async function call(exported: unknown): Promise<string> {
  const application = findApplication({ default: exported }, file, 'fetch');
  if (application.interface !== 'fetch') throw new Error('not a fetch application');
  const context = {} as Parameters<typeof application.handle>[1];
  return (await application.handle(new Request('http://a/'), context)).text();
}

describe('G2: the interface fetch', () => {
  test('takes a function', async () => {
    expect(await call(respond)).toBe('x');
  });

  test('takes an object with fetch, and calls it as its method', async () => {
    class App {
      readonly #text = 'mine';
      fetch(): Response {
        return new Response(this.#text);
      }
    }
    expect(await call(new App())).toBe('mine');
  });

  test('takes a function that has fetch', async () => {
    expect(await call(Object.assign(() => {}, { fetch: respond }))).toBe('x');
  });

  test('takes what a compiler left inside another default', async () => {
    expect(await call({ __esModule: true, default: respond })).toBe('x');
  });

  test.each([
    ['nothing at all', {}, 'but it exports nothing'],
    ['named exports only', { fetch: respond, a: 1 }, 'but it has no default export, only fetch, a'],
    ['a text', { default: 'x' }, 'but it is a string'],
    ['null', { default: null }, 'but it is null'],
    ['an object without fetch', { default: { get: 1, post: 2 } }, 'but it is an object with get, post'],
    ['an instance without fetch', { default: new Map() }, 'but it is a Map with no members'],
    ['a promise', { default: Promise.resolve(respond) }, 'but it is a promise (await it before exporting)'],
    ['a Node listener', { default: listener }, 'set "interface": "node" for it'],
  ])('says what it found instead: %s', (_, module, text) => {
    expect(() => findApplication(module, file, 'fetch')).toThrow(`${file}: the default export must be`);
    expect(() => findApplication(module, file, 'fetch')).toThrow(text);
  });
});

describe('G3: the interface node', () => {
  test('takes a listener', () => {
    expect(findApplication({ default: listener }, file, 'node')).toEqual({ interface: 'node', listener });
  });

  test('says what it found instead', () => {
    const find = () => findApplication({ default: { fetch: respond } }, file, 'node');
    expect(find).toThrow('needs a default export that is a function (request, response)');
    expect(find).toThrow('remove "interface", this one has fetch');
  });

  test('takes a server that does not listen', () => {
    const server = createServer();
    expect(findApplication({ default: server }, file, 'node')).toEqual({
      interface: 'node',
      listener: server,
    });
  });

  test('refuses a server that listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(createTempFolder(), 's'), resolve));
    expect(() => findApplication({ default: server }, file, 'node')).toThrow('leave out its listen()');
    server.close();
  });

  test.each([
    ['Koa', { callback() {} }, 'export its callback()'],
    ['Fastify', { ready() {}, routing() {} }, 'await its ready(), and export its routing'],
  ])('knows where the listener of %s is', (_, found, hint) => {
    expect(() => findApplication({ default: found }, file, 'node')).toThrow(hint);
  });
});

describe('G5, G6: hooks', () => {
  test('are the exports init and close', () => {
    const hooks = { init: () => {}, close: () => {} };
    expect(findHooks({ default: respond, ...hooks }, file)).toEqual(hooks);
  });

  test('need not be there', () => {
    expect(findHooks({ default: respond }, file)).toEqual({ init: null, close: null });
  });

  test.each([
    ['a text', 'x', 'a string'],
    ['null', null, 'null'],
  ])('must be functions: %s', (_, close, found) => {
    expect(() => findHooks({ default: respond, close }, file)).toThrow(
      `${file}: the export "close" must be a function, but it is ${found}`,
    );
  });
});

describe('G1: a file', () => {
  test.each([
    ['app.mjs', 'export default () => new Response("m")'],
    ['app.cjs', 'module.exports = () => new Response("m")'],
  ])('is loaded: %s', async (name, text) => {
    const path = join(createTempFolder({ [name]: text }), name);
    expect(findApplication(await loadModule(path), path, 'fetch').interface).toBe('fetch');
  });

  test('that throws passes on what it throws', async () => {
    const folder = createTempFolder({ 'app.mjs': 'throw new RangeError("at load")' });
    await expect(loadModule(join(folder, 'app.mjs'))).rejects.toThrow('at load');
  });

  test.each([
    ['app.json', '{}', '".json" is no module: an application is a .js,'],
    ['app', '', 'a name without extension is no module'],
    ['app.tsx', '', '".tsx" is no module'],
  ])('that is no module is refused by its name: %s', async (name, text, problem) => {
    const path = join(createTempFolder({ [name]: text }), name);
    await expect(loadModule(path)).rejects.toThrow(`${path}: ${problem}`);
  });

  test('that is a folder is refused', async () => {
    const folder = createTempFolder();
    await expect(loadModule(folder)).rejects.toThrow(`${folder}: this is a folder`);
  });
});
