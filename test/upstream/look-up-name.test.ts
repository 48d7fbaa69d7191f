import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLookUp, NameError } from '../../src/upstream/look-up-name.ts';
import { resolveShape } from '../../src/upstream/resolve-shape.ts';
import { type ScriptedAnswer, startScriptedDns } from '../support/dns-script.ts';

vi.mock('node:os', { spy: true });

const cancels: (() => void)[] = [];
afterEach(() => {
  for (const cancel of cancels.splice(0)) cancel();
});

/** A server with these answers, and what asks it for a name. */
async function startLookUp(
  answers: Record<string, ScriptedAnswer>,
  host = 'app.test',
  more: { service?: string; resolve?: object } = {},
) {
  const dns = await startScriptedDns(answers);
  const resolve = resolveShape.parse({ resolver: dns.address, ...more.resolve });
  const { ask, cancel } = createLookUp({ host, service: more.service ?? null, resolve });
  cancels.push(cancel);
  const read = async () => {
    const { addresses, validMs } = await ask();
    const shown = addresses.map(({ host, port, weight, backup }) =>
      port === null ? host : `${host}:${port} ${weight}${backup ? ' backup' : ''}`,
    );
    return [...shown, validMs];
  };
  const fail = async () => {
    const error: unknown = await ask().then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof NameError)) throw new Error(`no NameError: ${error}`);
    return [error.message, error.isAnswer];
  };
  return { dns, read, fail };
}

/** This machine as one with these addresses. */
function pretend(...addresses: string[]): void {
  const list = addresses.map((address) => ({ address, family: address.includes(':') ? 'IPv6' : 'IPv4' }));
  vi.mocked(networkInterfaces).mockReturnValue({ eth0: list } as unknown as ReturnType<
    typeof networkInterfaces
  >);
}

describe('a name in DNS', () => {
  test('stands for the addresses of both families, for as long as the first of them holds', async () => {
    pretend('192.0.2.1', '2001:db8::1');
    const { read } = await startLookUp({
      'A app.test': [
        ['10.0.0.2', 60],
        ['10.0.0.1', 20],
      ],
      'AAAA app.test': [['fd00::1', 40]],
    });
    expect(await read()).toEqual(['10.0.0.1', '10.0.0.2', 'fd00::1', 20_000]);
  });

  test('may have one family only', async () => {
    const { read, dns } = await startLookUp({ 'A app.test': [['10.0.0.1', 5]] }, 'app.test', {
      resolve: { family: 'ipv4' },
    });
    expect(await read()).toEqual(['10.0.0.1', 5000]);
    expect(dns.questions).toEqual(['A app.test']);
  });

  test.each([
    [['192.0.2.1'], ['10.0.0.1']],
    [['192.0.2.1', '::1', 'fe80::1'], ['10.0.0.1']],
    [
      ['192.0.2.1', 'fd00::2'],
      ['10.0.0.1', 'fd00::1'],
    ],
  ])('has no IPv6 addresses where there is no way to them: %j', async (own, expected) => {
    pretend(...own);
    const { read } = await startLookUp({
      'A app.test': [['10.0.0.1', 5]],
      'AAAA app.test': [['fd00::1', 5]],
    });
    expect(await read()).toEqual([...expected, 5000]);
  });

  test('keeps them when there is nothing else', async () => {
    pretend('192.0.2.1');
    const { read } = await startLookUp({ 'AAAA app.test': [['fd00::1', 5]] });
    expect(await read()).toEqual(['fd00::1', 5000]);
  });

  test('is asked for again within a second at the earliest, and as "valid" says otherwise', async () => {
    const answers = { 'A app.test': [['10.0.0.1', 0]] } as const;
    expect(await (await startLookUp(answers)).read()).toEqual(['10.0.0.1', 1000]);
    const { read } = await startLookUp(answers, 'app.test', { resolve: { valid: '1m' } });
    expect(await read()).toEqual(['10.0.0.1', 60_000]);
  });

  test('is an address twice only once', async () => {
    const { read } = await startLookUp({
      'A app.test': [
        ['10.0.0.1', 5],
        ['10.0.0.1', 5],
      ],
    });
    expect(await read()).toEqual(['10.0.0.1', 5000]);
  });

  test.each<[string, Record<string, ScriptedAnswer>, string, boolean]>([
    ['does not exist', { 'A app.test': 'nxdomain', 'AAAA app.test': 'nxdomain' }, 'ENOTFOUND', true],
    ['has no records', {}, 'ENODATA', true],
    ['cannot be found out', { 'A app.test': 'servfail', 'AAAA app.test': 'servfail' }, 'ESERVFAIL', false],
    ['cannot be found out in one family', { 'A app.test': 'servfail' }, 'ESERVFAIL', false],
  ])('that %s is an error that says so', async (_, answers, code, isAnswer) => {
    const { fail } = await startLookUp(answers);
    expect(await fail()).toEqual([`app.test cannot be resolved: ${code}`, isAnswer]);
  });

  test('T16: keeps the addresses of a family that fails, while the other is answered', async () => {
    pretend('192.0.2.1', 'fd00::2');
    const { dns, read } = await startLookUp({
      'A app.test': [['10.0.0.1', 5]],
      'AAAA app.test': [['fd00::1', 5]],
    });
    expect(await read()).toEqual(['10.0.0.1', 'fd00::1', 5000]);
    dns.answers.set('A app.test', [['10.0.0.2', 5]]).set('AAAA app.test', 'servfail');
    expect(await read()).toEqual(['10.0.0.2', 'fd00::1', 5000]);
    dns.answers.set('AAAA app.test', 'nxdomain');
    expect(await read()).toEqual(['10.0.0.2', 5000]);
  });

  test('is never asked of DNS if it is localhost', async () => {
    pretend('127.0.0.1', '::1');
    const { dns, read } = await startLookUp({}, 'app.localhost');
    expect(await read()).toEqual(['127.0.0.1', '::1', 30_000]);
    expect(dns.questions).toEqual([]);
  });
});

describe('a service', () => {
  const hosts = { 'A a.test': [['10.0.0.1', 10]], 'A b.test': [['10.0.0.2', 20]] } as const;

  test('has ports, weights and reserves, for no longer than half a minute', async () => {
    const { read } = await startLookUp(
      {
        ...hosts,
        'A b.test': [['10.0.0.2', 3600]],
        'A a.test': [['10.0.0.1', 3600]],
        'SRV _http._tcp.app.test': [
          ['10 5 8001 a.test', 60],
          ['10 0 8002 b.test', 60],
          ['20 1 8003 b.test', 60],
        ],
      },
      'app.test',
      { service: 'http' },
    );
    expect(await read()).toEqual(['10.0.0.1:8001 5', '10.0.0.2:8002 1', '10.0.0.2:8003 1 backup', 30_000]);
  });

  test('with a dot in its name stands before the host as it is', async () => {
    const { read } = await startLookUp(
      { ...hosts, 'SRV blue.web.app.test': [['0 1 80 a.test', 60]] },
      'app.test',
      { service: 'blue.web' },
    );
    expect(await read()).toEqual(['10.0.0.1:80 1', 10_000]);
  });

  test('serves with the hosts that can be found', async () => {
    const { read } = await startLookUp(
      {
        ...hosts,
        'A b.test': 'servfail',
        'SRV _http._tcp.app.test': [
          ['0 1 80 a.test', 60],
          ['0 1 80 b.test', 60],
        ],
      },
      'app.test',
      { service: 'http' },
    );
    expect(await read()).toEqual(['10.0.0.1:80 1', 10_000]);
  });

  test.each<[string, ScriptedAnswer]>([
    ['that says it is not there', [['0 0 0 .', 60]]],
    [
      'V7: on hosts whose names are none',
      [
        ['0 1 80 a/b.test', 60],
        ['0 1 80 c\u0000.test', 60],
      ],
    ],
    ['without a port', [['0 1 0 a.test', 60]]],
  ])('%s is an error, and no host is asked for', async (_, records) => {
    const { dns, fail } = await startLookUp({ ...hosts, 'SRV _http._tcp.app.test': records }, 'app.test', {
      service: 'http',
    });
    expect((await fail())[1]).toBe(true);
    expect(dns.questions).toEqual(['SRV _http._tcp.app.test']);
  });
});
