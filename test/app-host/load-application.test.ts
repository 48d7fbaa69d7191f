import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findApplication, loadApplication } from '../../src/app-host/load-application.ts';
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

describe('the interface fetch', () => {
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

describe('the interface node', () => {
  test('takes a listener', () => {
    expect(findApplication({ default: listener }, file, 'node')).toEqual({ interface: 'node', listener });
  });

  test('says what it found instead', () => {
    const find = () => findApplication({ default: { fetch: respond } }, file, 'node');
    expect(find).toThrow('needs a default export that is a function (request, response)');
    expect(find).toThrow('remove "interface", this one has fetch');
  });
});

describe('a file', () => {
  test.each([
    ['app.mjs', 'export default () => new Response("m")'],
    ['app.cjs', 'module.exports = () => new Response("m")'],
  ])('is loaded: %s', async (name, text) => {
    const folder = createTempFolder({ [name]: text });
    const application = await loadApplication(join(folder, name), 'fetch');
    expect(application.interface).toBe('fetch');
  });

  test('that throws passes on what it throws', async () => {
    const folder = createTempFolder({ 'app.mjs': 'throw new RangeError("at load")' });
    await expect(loadApplication(join(folder, 'app.mjs'), 'fetch')).rejects.toThrow('at load');
  });
});
