import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { BoundSocket } from '../../src/process/bind-socket.ts';
import type { Fronts } from '../../src/process/fronts.ts';
import { SiteRunner } from '../../src/process/site-runner.ts';
import { OrderError } from '../../src/process/worker-messages.ts';
import { checkSite } from '../../src/server/check-site.ts';
import type { SiteSettings } from '../../src/server/site-settings.ts';
import { createTempFolder } from '../support/temp-folder.ts';

/** Fronts that write down what they are told and refuse what they are asked to. */
class RecordingFronts implements Fronts {
  readonly count = 2;
  readonly told: string[] = [];
  refuse: (what: string) => Error | null = () => null;

  async #take(what: string): Promise<void> {
    this.told.push(what);
    const error = this.refuse(what);
    if (error !== null) throw error;
  }

  start(settings: SiteSettings, sockets: readonly BoundSocket[]): Promise<void> {
    return this.#take(
      `start ${name(settings.pid)} on ${sockets.map(({ address }) => name(address.path)).join()}`,
    );
  }
  configure(settings: SiteSettings): Promise<void> {
    return this.#take(`configure ${name(settings.pid)}`);
  }
  listen({ address }: BoundSocket): Promise<void> {
    return this.#take(`listen ${name(address.path)}`);
  }
  unlisten(key: string): Promise<void> {
    return this.#take(`unlisten ${name(key)}`);
  }
  setInstances(): Promise<void> {
    return this.#take('instances');
  }
  async isQuiet(): Promise<boolean> {
    return true;
  }
  reopenLogs(): Promise<void> {
    return this.#take('reopen');
  }
  drain(timeoutMs: number): Promise<void> {
    return this.#take(`drain ${timeoutMs}`);
  }
  close(): Promise<void> {
    return this.#take('close');
  }
}

const name = (path: string | null): string => path?.split('/').pop() ?? '';
const runners: SiteRunner[] = [];

afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.close().catch(() => {});
});

function createRunner() {
  const folder = createTempFolder();
  const fronts = new RecordingFronts();
  const runner = new SiteRunner({ log: () => {}, fronts });
  runners.push(runner);
  const settings = (pid: string, ...sockets: string[]) =>
    checkSite(
      {
        workers: 2,
        pid,
        listen: sockets.map((socket) => `unix:${socket}`),
        routes: [{ path: '/', return: 204 }],
      },
      { directory: folder, name: 'test' },
    );
  const listExisting = () => ['a', 'b', 'c'].filter((socket) => existsSync(join(folder, socket)));
  return { folder, fronts, runner, settings, listExisting };
}

describe('a start', () => {
  test('binds the sockets and then has them served', async () => {
    const { fronts, runner, settings, listExisting } = createRunner();
    await runner.start(settings('one', 'a', 'b'));
    expect(fronts.told).toEqual(['start one on a,b']);
    expect(listExisting()).toEqual(['a', 'b']);
    expect(runner.describe()).toBe('2 workers');
  });

  test('comes once', async () => {
    const { fronts, runner, settings } = createRunner();
    await runner.start(settings('one', 'a'));
    await expect(runner.start(settings('one', 'a'))).rejects.toThrow('started already');
    expect(fronts.told).toEqual(['start one on a']);
  });

  test('that the fronts refuse leaves nothing behind', async () => {
    const { fronts, runner, settings, listExisting } = createRunner();
    fronts.refuse = (what) => (what.startsWith('start') ? new Error('no') : null);
    await expect(runner.start(settings('one', 'a'))).rejects.toThrow('no');
    expect(listExisting()).toEqual([]);
  });
});

describe('a reload', () => {
  test('opens what is new before it closes what is gone, and keeps the rest', async () => {
    const { fronts, runner, settings, listExisting } = createRunner();
    await runner.start(settings('one', 'a', 'b'));
    fronts.told.length = 0;
    expect(await runner.reload(settings('two', 'b', 'c'))).toBe(true);
    expect(fronts.told).toEqual(['configure two', 'listen c', 'unlisten a']);
    expect(listExisting()).toEqual(['b', 'c']);
  });

  test('whose new address is taken changes nothing', async () => {
    const { folder, fronts, runner, settings, listExisting } = createRunner();
    await runner.start(settings('one', 'a'));
    const other = createServer().on('connection', (socket) => socket.on('error', () => {}).destroy());
    await new Promise<void>((resolve) => other.listen(join(folder, 'c'), resolve));
    fronts.told.length = 0;
    await expect(runner.reload(settings('two', 'b', 'c'))).rejects.toThrow('already in use');
    expect(fronts.told).toEqual([]);
    expect(listExisting()).toEqual(['a', 'c']);
    other.close();
  });

  test('that the fronts refuse changes nothing', async () => {
    const { fronts, runner, settings, listExisting } = createRunner();
    await runner.start(settings('one', 'a'));
    fronts.refuse = (what) => (what === 'configure two' ? new Error('no') : null);
    await expect(runner.reload(settings('two', 'b'))).rejects.toThrow('no');
    expect(listExisting()).toEqual(['a']);
  });

  test('whose new address fails only when it is listened on goes back', async () => {
    const { fronts, runner, settings, listExisting } = createRunner();
    await runner.start(settings('one', 'a'));
    fronts.told.length = 0;
    fronts.refuse = (what) =>
      what === 'listen c' ? new OrderError('listen EADDRINUSE', 'EADDRINUSE') : null;
    await expect(runner.reload(settings('two', 'a', 'b', 'c'))).rejects.toThrow(
      'the address is already in use',
    );
    expect(fronts.told).toEqual([
      'configure two',
      'listen b',
      'listen c',
      'unlisten b',
      'unlisten c',
      'configure one',
    ]);
    expect(listExisting()).toEqual(['a']);
  });

  test('cannot change between one process and many', async () => {
    const { runner, settings } = createRunner();
    await runner.start(settings('one', 'a'));
    await expect(runner.reload({ ...settings('two', 'a'), workers: 0 })).rejects.toThrow('start it anew');
  });
});

test('a reload that an end overtakes opens nothing more', async () => {
  const { fronts, runner, settings, listExisting } = createRunner();
  await runner.start(settings('one', 'a'));
  const reloaded = runner.reload(settings('two', 'a', 'b'));
  const drained = runner.drain(10_000);
  await expect(reloaded).rejects.toThrow('the server ends');
  await drained;
  expect(fronts.told.some((what) => what.startsWith('configure'))).toBe(false);
  expect(listExisting()).toEqual([]);
});

test('a start that an end overtakes leaves nothing behind', async () => {
  const { fronts, runner, settings, listExisting } = createRunner();
  const started = runner.start(settings('one', 'a'));
  const drained = runner.drain(10_000);
  await expect(started).rejects.toThrow('the server ends');
  await drained;
  expect(fronts.told.some((what) => what.startsWith('start'))).toBe(false);
  expect(listExisting()).toEqual([]);
});

test('an end takes the sockets with it', async () => {
  const { fronts, runner, settings, listExisting } = createRunner();
  await runner.start(settings('one', 'a'));
  await runner.drain(10_000);
  expect(fronts.told.pop()).toMatch(/^drain \d+$/);
  expect(listExisting()).toEqual([]);
});
