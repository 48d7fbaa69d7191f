import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parseInDirectory } from '../../src/config/shape/base-directory.ts';
import { AppSupervisor } from '../../src/process/app-supervisor.ts';
import type { ProgramRole } from '../../src/process/role.ts';
import { SocketFolder } from '../../src/process/socket-folder.ts';
import type { InstancesOrder } from '../../src/process/worker-messages.ts';
import { appShape } from '../../src/upstream/program-shape.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

// Speaks the protocol of an instance; what else it does, the "application" says: a file with one word in it.
const program = `
import { readFileSync, appendFileSync } from 'node:fs';
process.on('message', (order) => {
  if (order.type === 'drain') process.exit(0);
  const word = readFileSync(order.file, 'utf8');
  console.log('started ' + order.name + ' ' + word);
  if (word === 'crash') process.exit(1);
  if (word === 'hang') return;
  appendFileSync(order.file + '.pids', process.pid + '\\n');
  process.send({ nonsense: true });
  process.send({ type: 'ready' });
  if (word === 'used up') setInterval(() => process.send({ type: 'beat', requests: 100 }), 20);
  if (word === 'silent') setTimeout(() => process.send({ type: 'beat', requests: 1 }), 5);
  if (word === 'leave') setTimeout(() => process.send({ type: 'leaving' }), 20);
});
process.on('disconnect', () => process.exit());
`;

const supervisors: { kill(): void; folder: SocketFolder }[] = [];

afterEach(() => {
  for (const { kill, folder } of supervisors.splice(0)) {
    kill();
    folder.remove();
  }
});

interface StartOptions {
  readonly instances?: number;
  readonly role?: Partial<ProgramRole>;
  /** More settings of the upstream. */
  readonly settings?: object;
}

function start(word: string, options: StartOptions = {}) {
  const files = createTempFolder({ 'program.mjs': program, app: word });
  const file = join(files, 'app');
  const role: ProgramRole = {
    name: 'app',
    entry: pathToFileURL(join(files, 'program.mjs')),
    restart: { healthyMs: 10_000, crashMs: 1_000, firstDelayMs: 5, longestDelayMs: 50 },
    failedAfter: 3,
    failedDelayMs: 100,
    ...options.role,
  };
  const lines: string[] = [];
  const orders: InstancesOrder[] = [];
  const folder = new SocketFolder();
  const written = { app: 'app', instances: options.instances ?? 2, ...options.settings };
  const settings = parseInDirectory(files, () => appShape.parse(written));
  const supervisor = new AppSupervisor(settings, {
    upstream: 'api',
    folder,
    role,
    log: (level, message) => void lines.push(`${level} ${message}`),
    publish: async (order) => void orders.push(order),
    isQuiet: async () => true,
  });
  supervisors.push({ kill: () => supervisor.kill(), folder });
  return {
    supervisor,
    settings,
    folder,
    lines,
    setWord: (next: string) => writeFileSync(file, next),
    last: () => orders[orders.length - 1],
    /** How many instances took requests, after each change. */
    counts: () => orders.map(({ instances: { length } }) => length),
    pids: () =>
      existsSync(`${file}.pids`) ? readFileSync(`${file}.pids`, 'utf8').trim().split('\n').map(Number) : [],
  };
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the instances of an application', () => {
  test('are started, told of, and labelled in the log', async () => {
    const { supervisor, last, lines } = start('good');
    expect(last()).toMatchObject({ upstream: 'api', state: 'starting', instances: [] });
    expect(await supervisor.started).toBe(true);
    expect(last().state).toBe('running');
    expect(last().instances.map(({ id }) => id.replace(/\.\d+$/, ''))).toEqual(['api#1', 'api#2']);
    await waitUntil('both lines', () => lines.length === 2);
    expect([...lines].sort()).toEqual([
      'notice [api#1] started api#1 good',
      'notice [api#2] started api#2 good',
    ]);
  });

  test('V35: have their sockets in a folder that is theirs alone', async () => {
    const { supervisor, last, folder } = start('good', { instances: 1 });
    await supervisor.started;
    const [{ path = '' }] = last().instances as readonly { path?: string }[];
    expect(path.startsWith(`${folder.path}/`)).toBe(true);
    expect(Buffer.byteLength(path)).toBeLessThanOrEqual(107);
  });

  test('that are killed are replaced, and taken out until then', async () => {
    const { supervisor, last, lines, pids } = start('good');
    await supervisor.started;
    const before = last().instances;
    process.kill(pids()[0], 'SIGKILL');
    await waitUntil('the death', () => last().instances.length === 1);
    await waitUntil('the replacement', () => last().instances.length === 2, 2_000);
    const replaced = last().instances.filter(({ id }) => !before.some((old) => old.id === id));
    expect(replaced).toHaveLength(1);
    expect(lines.join('\n')).toMatch(
      /error api#\d \(pid \d+\) was killed by the system \(memory\?\) with SIGKILL/,
    );
  });

  test('that say they end are replaced while they finish what runs', async () => {
    const { supervisor, last, pids, setWord } = start('leave', { instances: 1 });
    await supervisor.started;
    const [before] = last().instances;
    setWord('good');
    await waitUntil('the replacement', () => last().instances.some(({ id }) => id !== before.id), 2_000);
    expect(last().instances).toHaveLength(1);
    expect(pids().filter(isAlive)).toHaveLength(2);
    process.kill(pids()[0], 'SIGKILL');
    await waitUntil('the death', () => !isAlive(pids()[0]));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pids()).toHaveLength(2);
    expect(last().instances).toHaveLength(1);
  });

  test('end with those that they replaced', async () => {
    const { supervisor, last, pids, setWord } = start('leave', { instances: 1 });
    await supervisor.started;
    const [before] = last().instances;
    setWord('good');
    await waitUntil('the replacement', () => last().instances.some(({ id }) => id !== before.id), 2_000);
    await supervisor.end(1_000);
    expect(pids().filter(isAlive)).toEqual([]);
  });

  test('that crash at once are tried ever more slowly, then now and then, and come back when mended', async () => {
    const { supervisor, last, lines, setWord } = start('crash', { instances: 1 });
    expect(await supervisor.started).toBe(false);
    await waitUntil('failed', () => last().state === 'failed');
    expect(lines.filter((line) => line.endsWith('exited with code 1 before it was ready'))).toHaveLength(3);
    expect(lines.some((line) => line.startsWith('crit api#1 failed: it crashed 3 times in a row'))).toBe(
      true,
    );
    setWord('good');
    await waitUntil('mended', () => last().state === 'running');
  });

  test('that are not ready in time are ended and count as crashed', async () => {
    const { supervisor, lines } = start('hang', { instances: 1, settings: { startTimeout: '400ms' } });
    expect(await supervisor.started).toBe(false);
    expect(lines.some((line) => line === 'error api#1 was not ready within 400 ms')).toBe(true);
  });

  test('S20: that have had their requests are replaced one after the other, each when its successor is ready', async () => {
    const { supervisor, last, counts, pids, setWord } = start('used up', {
      instances: 3,
      settings: { maxRequests: 100 },
    });
    expect(await supervisor.started).toBe(true);
    setWord('good');
    await waitUntil('three replacements', () => pids().length >= 6 && pids().filter(isAlive).length === 3);
    expect(last().instances).toHaveLength(3);
    // From the first time that all were there, all were there.
    expect(Math.min(...counts().slice(counts().indexOf(3)))).toBe(3);
  });

  test('that are used up stay when no fresh one starts', async () => {
    const { supervisor, last, lines, pids, setWord } = start('used up', {
      instances: 1,
      settings: { maxRequests: 100 },
    });
    await supervisor.started;
    setWord('crash');
    await waitUntil('the failed try', () => lines.some((line) => line.includes('it serves on')));
    const before = last().instances;
    expect(before).toHaveLength(1);
    setWord('good');
    await waitUntil('the next try', () => last().instances[0].id !== before[0].id);
    await waitUntil('the end of the old one', () => pids().filter(isAlive).length === 1);
  });

  test('that send no beat are replaced', async () => {
    const { supervisor, last, lines, pids, setWord } = start('silent', {
      instances: 1,
      settings: { hangTimeout: '300ms' },
    });
    await supervisor.started;
    const [before] = last().instances;
    setWord('good');
    await waitUntil('the replacement', () => last().instances.some(({ id }) => id !== before.id));
    await waitUntil('the end of the silent one', () => !isAlive(pids()[0]));
    expect(lines.join('\n')).toMatch(/error api#1 \(pid \d+\) has been blocked for 0\.\d s: it is killed/);
  });

  test('are more or fewer when asked for', async () => {
    const { supervisor, last, pids } = start('good', { instances: 2 });
    await supervisor.started;
    await supervisor.scale(1);
    await waitUntil('the third', () => last().instances.length === 3);
    await supervisor.scale(-5);
    expect(last().instances).toHaveLength(1);
    expect(pids().filter(isAlive)).toHaveLength(1);
    expect(supervisor.snapshot().instances).toMatchObject([{ name: 'api#1', state: 'ready', crashes: 0 }]);
  });

  test('end when told to, and leave no socket and no process', async () => {
    const { supervisor, folder, pids } = start('good');
    await supervisor.started;
    await supervisor.end(1_000);
    expect(pids().filter(isAlive)).toEqual([]);
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe('a reload', () => {
  test('T10: switches to new instances when all of them are ready, and ends the old ones', async () => {
    const { supervisor, settings, last, pids } = start('good');
    await supervisor.started;
    const [before, old] = [last().instances, pids()];
    expect(await supervisor.replace({ ...settings, instances: 3 })).toBe(true);
    expect(last().instances).toHaveLength(3);
    expect(last().instances.some(({ id }) => before.some((one) => one.id === id))).toBe(false);
    await waitUntil('the end of the old ones', () => !old.some(isAlive));
  });

  test('keeps the old instances when the new ones do not come up', async () => {
    const { supervisor, settings, last, setWord, lines, pids } = start('good');
    await supervisor.started;
    const before = last().instances;
    setWord('crash');
    expect(await supervisor.replace(settings)).toBe(false);
    expect(last().instances).toEqual(before);
    expect(pids().filter(isAlive)).toHaveLength(2);
    expect(lines.join('\n')).toMatch(
      /error upstream api: the new instances do not start; the old ones serve on \(api#\d \(pid \d+\) exited with code 1 before it was ready\)/,
    );
    expect(supervisor.snapshot().rolledBack).toMatch(/exited with code 1/);
  });

  test('takes new instances in any state when the old ones do not serve', async () => {
    const { supervisor, settings, last, setWord } = start('crash', { instances: 1 });
    await waitUntil('failed', () => last().state === 'failed');
    setWord('good');
    expect(await supervisor.replace(settings)).toBe(true);
    expect(last().state).toBe('running');
  });

  test('is given up when the server ends', async () => {
    const { supervisor, settings, setWord } = start('good', { instances: 1 });
    await supervisor.started;
    setWord('hang');
    const reload = supervisor.replace(settings);
    await supervisor.end(500);
    expect(await reload).toBe(false);
  });
});
