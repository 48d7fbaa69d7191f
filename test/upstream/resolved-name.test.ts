import { afterEach, expect, test } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { type NameAnswer, NameError } from '../../src/upstream/look-up-name.ts';
import { ResolvedName } from '../../src/upstream/resolved-name.ts';
import { waitUntil } from '../http1/client-peer.ts';

const timers = new TimerWheel(10);
const names: ResolvedName[] = [];
afterEach(() => {
  for (const name of names.splice(0)) name.close();
});

const found = (...hosts: string[]): NameAnswer => ({
  addresses: hosts.map((host) => ({ host, port: null, weight: 1, backup: false })),
  validMs: 20,
});
const gone = new NameError('app.test cannot be resolved: ENOTFOUND', true);
const unknown = new NameError('app.test cannot be resolved: ETIMEOUT', false);

/** A name whose look-ups end one by one, the last of the outcomes again and again. */
function createName(outcomes: (NameAnswer | Error)[], goneAfterMs?: number) {
  const lines: string[] = [];
  const changes: string[] = [];
  let asked = 0;
  let cancelled = 0;
  const ask = async (): Promise<NameAnswer> => {
    const outcome = outcomes[Math.min(asked++, outcomes.length - 1)];
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const name = new ResolvedName(
    'app.test',
    { ask, cancel: () => cancelled++ },
    { timers, log: (level, message) => void lines.push(`${level} ${String(message)}`) },
    goneAfterMs,
  );
  const hosts = () => name.addresses.map(({ host }) => host).join(' ');
  name.subscribe(() => changes.push(hosts()));
  names.push(name);
  return { name, lines, changes, hosts, outcomes, counts: () => ({ asked, cancelled }) };
}

test('is pending until the first answer, and tells of changes only', async () => {
  const { name, changes, lines, counts } = createName([found('a'), found('a'), found('a', 'b')]);
  expect(name.isPending).toBe(true);
  await waitUntil(() => counts().asked > 4);
  expect(name.isPending).toBe(false);
  expect(changes).toEqual(['a', 'a b']);
  expect(lines).toEqual(['info app.test is a', 'info app.test is a, b']);
});

test('T15: tells those who wait that there is nothing, and looks again soon', async () => {
  const { name, changes, lines, hosts } = createName([gone, found('a')]);
  await waitUntil(() => !name.isPending);
  expect([changes, name.problem]).toEqual([[''], gone.message]);
  await waitUntil(() => hosts() === 'a');
  expect(name.problem).toBeNull();
  expect(lines).toEqual([
    `warn upstream address: ${gone.message}`,
    'notice app.test is resolved again',
    'info app.test is a',
  ]);
});

test('T16: keeps what it has for as long as nobody knows, and says so once', async () => {
  const { lines, hosts, name, counts } = createName([found('a'), unknown], 0);
  await waitUntil(() => counts().asked === 3);
  expect([hosts(), name.problem]).toEqual(['a', unknown.message]);
  expect(lines.slice(1)).toEqual([`warn upstream address: ${unknown.message}: its last addresses are used`]);
});

test('keeps what it has when the name is gone for a moment, and believes it later', async () => {
  const patient = createName([found('a'), gone]);
  await waitUntil(() => patient.counts().asked === 2);
  expect(patient.hosts()).toBe('a');
  const { hosts, lines } = createName([found('a'), gone], 10);
  await waitUntil(() => lines.includes('info app.test is no address any more'));
  expect(hosts()).toBe('');
});

test('looks no more when it is closed, and takes no answer that is late', async () => {
  const { name, changes, counts } = createName([found('a'), found('b')]);
  await waitUntil(() => counts().asked === 1);
  name.close();
  const before = { ...counts(), changes: [...changes] };
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect({ ...counts(), changes }).toEqual(before);
  expect(before.cancelled).toBe(1);
});
