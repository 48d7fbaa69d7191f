import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { formatGreeting, listAddresses } from '../../src/cli/greeting.ts';
import { formatAddress } from '../../src/process/bind-socket.ts';

const describeInterface = (address: string, family: 'IPv4' | 'IPv6', internal: boolean) =>
  ({ address, family, internal }) as NetworkInterfaceInfo;

const interfaces = {
  lo: [describeInterface('127.0.0.1', 'IPv4', true), describeInterface('::1', 'IPv6', true)],
  eth0: [describeInterface('192.0.2.7', 'IPv4', false), describeInterface('fe80::7', 'IPv6', false)],
  wlan0: [describeInterface('198.51.100.7', 'IPv4', false)],
};

const createPlace = (host: string | null) => ({
  address: { key: '', host, port: 0, path: null },
  name: formatAddress(host, 80),
  port: 80,
});

const list = (...hosts: (string | null)[]) =>
  listAddresses(hosts.map(createPlace), interfaces).map(
    ({ isLocal, url }) => `${isLocal ? 'Local' : 'Network'} ${url}`,
  );

describe('the addresses of a folder', () => {
  test('on localhost are one, for its two sockets', () => {
    expect(list('localhost', 'localhost')).toEqual(['Local http://localhost:80/']);
  });

  test.each([null, '0.0.0.0', '::'])(
    'on all addresses (%j) are those that other machines use, too',
    (host) => {
      expect(list(host)).toEqual([
        'Local http://localhost:80/',
        'Network http://192.0.2.7:80/',
        'Network http://198.51.100.7:80/',
      ]);
    },
  );

  test.each([
    ['127.0.0.2', 'Local http://127.0.0.2:80/'],
    ['::1', 'Local http://[::1]:80/'],
    ['192.0.2.7', 'Network http://192.0.2.7:80/'],
    ['127.example', 'Network http://127.example:80/'],
  ])('on %s are that one', (host, expected) => {
    expect(list(host)).toEqual([expected]);
  });

  test('begin with those of this machine', () => {
    expect(list('192.0.2.7', '::1')).toEqual(['Local http://[::1]:80/', 'Network http://192.0.2.7:80/']);
  });

  test('can be a unix socket', () => {
    const address = { key: '', host: null, port: 0, path: '/run/x.sock' };
    const place = { address, name: 'unix:/run/x.sock', port: 0 };
    expect(listAddresses([place], interfaces)).toEqual([
      { url: 'unix:/run/x.sock', isLocal: true, isPrivate: true },
    ]);
  });
});

describe('the greeting', () => {
  const greet = (host: string | null, color = false, from: typeof interfaces | object = interfaces) =>
    formatGreeting('title', listAddresses([createPlace(host)], from as typeof interfaces), color);

  test('has a line for each address', () => {
    expect(greet(null)).toBe(
      '\n  title\n\n  ➜  Local:    http://localhost:80/\n  ➜  Network:  http://192.0.2.7:80/\n' +
        '  ➜  Network:  http://198.51.100.7:80/\n\n',
    );
  });

  test('says how other machines are let in, where they are not', () => {
    expect(greet('localhost')).toContain('\n  ➜  Network:  none; --host 0.0.0.0 lets other machines in\n');
    expect(greet('192.0.2.7')).not.toContain('--host');
    expect(greet(null, false, {})).not.toContain('--host');
  });

  test('is in colour only when asked to be', () => {
    expect(greet(null, true)).toContain('\x1b[36mhttp://localhost:80/\x1b[0m');
    expect(greet(null)).not.toContain('\x1b');
  });
});
