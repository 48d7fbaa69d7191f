import { describe, expect, it } from 'vitest';
import { HostTable } from '../../src/router/host-table.ts';

function compile(servers: Record<string, string[]>, standard?: string): HostTable<string> {
  return new HostTable(
    Object.entries(servers).map(([payload, names]) => ({ names, payload, isDefault: payload === standard })),
  );
}

describe('S1: the virtual host of a name', () => {
  const table = compile({
    first: ['first.example'],
    exact: ['www.a.example'],
    suffix: ['*.a.example'],
    longSuffix: ['*.b.a.example'],
    prefix: ['www.*'],
    longPrefix: ['www.c.*'],
    pattern: ['~^p\\d+\\.example$'],
    later: ['~example$'],
    nameless: [''],
  });
  it.each([
    ['www.a.example', 'exact'],
    ['x.a.example', 'suffix'],
    ['x.y.a.example', 'suffix'],
    ['x.b.a.example', 'longSuffix'],
    ['b.a.example', 'suffix'],
    ['www.x.test', 'prefix'],
    ['www.c.test', 'longPrefix'],
    ['p12.example', 'pattern'],
    ['q.example', 'later'],
    ['', 'nameless'],
    ['unknown.test', 'first'],
  ])('%s is answered by %s', (host, server) => {
    expect(table.match(host)).toBe(server);
  });

  it('is the one called default, else the first', () => {
    const servers = { one: ['one.test'], two: ['two.test'] };
    expect(compile(servers).match('x.test')).toBe('one');
    expect(compile(servers, 'two').match('x.test')).toBe('two');
    expect(compile(servers, 'two').match('one.test')).toBe('one');
  });

  it('prefers suffixes to prefixes and both to regular expressions', () => {
    const both = compile({ pattern: ['~.'], prefix: ['a.*'], suffix: ['*.z'] });
    expect(both.match('a.z')).toBe('suffix');
    expect(both.match('a.y')).toBe('prefix');
    expect(both.match('b')).toBe('pattern');
  });
});
