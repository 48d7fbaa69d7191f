import { expect, it } from 'vitest';
import { ConnectionLimits } from '../../src/listener/connection-limits.ts';

it('V16: connections are counted in all and by address; an exempt address and a unix socket only in all', () => {
  const limits = new ConnectionLimits();
  limits.configure({ connections: 5, connectionsPerAddress: 2 }, (address) => address === 'proxy');
  expect(['a', 'a', 'a', 'b'].map((address) => limits.admit(address))).toEqual([
    'admitted',
    'admitted',
    'too-many-from-address',
    'admitted',
  ]);
  expect(['proxy', 'unix:', 'proxy'].map((address) => limits.admit(address))).toEqual([
    'admitted',
    'admitted',
    'too-many',
  ]);
  limits.release('a');
  expect(limits.total).toBe(4);
  expect(limits.admit('a')).toBe('admitted');
});

it('limits of 0 are none, and new limits hold for new connections', () => {
  const limits = new ConnectionLimits();
  for (let i = 0; i < 100; i++) expect(limits.admit('a')).toBe('admitted');
  limits.configure({ connections: 0, connectionsPerAddress: 50 }, () => false);
  expect(limits.admit('a')).toBe('too-many-from-address');
  for (let i = 0; i < 100; i++) limits.release('a');
  expect(limits.admit('a')).toBe('admitted');
  expect(limits.total).toBe(1);
});
