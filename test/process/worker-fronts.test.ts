import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { workerRole } from '../../src/process/role.ts';
import { WorkerFronts } from '../../src/process/worker-fronts.ts';
import { checkSite } from '../../src/server/check-site.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

// A worker that writes down its orders, and refuses settings whose pid file is called "bad".
const program = `
import { appendFileSync } from 'node:fs';
process.on('message', ({ id, order }) => {
  const pid = order.settings?.pid ?? '';
  appendFileSync(new URL('orders', import.meta.url), process.pid + ' ' + order.type + ' ' + pid.split('/').pop() + '\\n');
  const problem = pid.endsWith('bad') ? 'not this one' : null;
  if (pid.endsWith('fatal')) {
    console.error('last words');
    process.exit(7);
  }
  process.send({ id, problem, code: null });
  if (order.type === 'drain') process.disconnect();
});
process.on('SIGTERM', () => {});
`;

const started: WorkerFronts[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((fronts) => fronts.close()));
});

function createFronts(startTimeoutMs = 30_000) {
  const folder = createTempFolder({ 'worker.mjs': program, orders: '' });
  const lines: string[] = [];
  const fronts = new WorkerFronts(
    (level, message) => void lines.push(`${level} ${message}`),
    (line) => void lines.push(line),
    { ...workerRole, startTimeoutMs, entry: pathToFileURL(join(folder, 'worker.mjs')) },
  );
  started.push(fronts);
  const settings = (pid: string, workers = 2) =>
    checkSite({ listen: 0, workers, pid, routes: [] }, { directory: folder, name: 'test' });
  const orders = () => readLines(join(folder, 'orders')).map((line) => line.split(' '));
  return { fronts, lines, settings, orders, pids: () => [...new Set(orders().map(([pid]) => Number(pid)))] };
}

function readLines(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

describe('front workers', () => {
  test('are all told everything', async () => {
    const { fronts, settings, orders } = createFronts();
    await fronts.start(settings('a'), []);
    await fronts.setInstances({ type: 'instances', upstream: 'x', state: 'running', instances: [] });
    const told = orders().map(([, type, pid]) => `${type} ${pid}`);
    expect([...told].sort()).toEqual(['configure a', 'configure a', 'instances ', 'instances ']);
  });

  test('that die are replaced at once and told what is in force now', async () => {
    const { fronts, settings, orders, pids, lines } = createFronts();
    await fronts.start(settings('a'), []);
    await fronts.configure(settings('b'));
    await fronts.setInstances({ type: 'instances', upstream: 'x', state: 'running', instances: [] });
    const [victim] = pids();
    process.kill(victim, 'SIGKILL');
    await waitUntil('a third worker', () => pids().length === 3);
    const replacement = String(pids()[2]);
    const told = () => orders().filter(([pid]) => pid === replacement);
    await waitUntil('its orders', () => told().length === 2);
    expect(told().map(([, type, pid]) => `${type} ${pid}`)).toEqual(['configure b', 'instances ']);
    expect(lines).toContain(`error worker ${victim} was killed by the system (memory?) with SIGKILL`);
  });

  test('that refuse new settings all go back to the old ones', async () => {
    const { fronts, settings, orders } = createFronts();
    await fronts.start(settings('a'), []);
    await expect(fronts.configure(settings('bad'))).rejects.toThrow('not this one');
    const told = orders().map(([, , pid]) => pid);
    expect(told.slice(-2)).toEqual(['a', 'a']);
  });

  test('that cannot serve at the start keep the server from starting', async () => {
    const { fronts, settings, lines } = createFronts();
    await expect(fronts.start(settings('fatal'), [])).rejects.toThrow('exited with code 7 while it started');
    expect(lines).toContain('last words');
    const other = createFronts();
    await expect(other.fronts.start(other.settings('bad'), [])).rejects.toThrow('not this one');
  });

  test('become more and fewer with the settings', async () => {
    const { fronts, settings, pids } = createFronts();
    await fronts.start(settings('a', 1), []);
    await fronts.configure(settings('a', 3));
    expect(pids()).toHaveLength(3);
    await fronts.configure(settings('a', 1));
    await waitUntil('two ends', () => pids().filter(isAlive).length === 1);
    expect(fronts.count).toBe(1);
  });

  test('that do not answer are killed and replaced: nobody waits for them for good', async () => {
    const { fronts, settings, pids, lines } = createFronts(1_000);
    await fronts.start(settings('a'), []);
    const [victim] = pids();
    process.kill(victim, 'SIGSTOP');
    await fronts.configure(settings('b'));
    expect(lines).toContain(`error worker ${victim} has not answered for 1000 ms`);
    await waitUntil('a third worker', () => pids().length === 3);
  });

  test('do not become more once they are told to end', async () => {
    const { fronts, settings, pids } = createFronts();
    await fronts.start(settings('a'), []);
    const drained = fronts.drain(5_000);
    await fronts.configure(settings('a', 4));
    await drained;
    expect(pids()).toHaveLength(2);
    await expect(fronts.start(settings('a'), [])).rejects.toThrow('the server ends');
  });

  test('end when drained, and are not replaced', async () => {
    const { fronts, settings, pids } = createFronts();
    await fronts.start(settings('a'), []);
    await fronts.drain(5_000);
    expect(pids().filter(isAlive)).toEqual([]);
    expect(pids()).toHaveLength(2);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
