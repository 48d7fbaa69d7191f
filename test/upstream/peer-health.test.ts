import { describe, expect, test } from 'vitest';
import { PeerHealth } from '../../src/upstream/peer-health.ts';

describe('a peer', () => {
  test('is out after so many failures within the window, for as long', () => {
    const health = new PeerHealth(2, 1000);
    expect(health.onFailure(0)).toBe(false);
    expect(health.isAvailable(10)).toBe(true);
    expect(health.onFailure(900)).toBe(true);
    expect(health.isAvailable(901)).toBe(false);
    expect(health.isAvailable(1899)).toBe(false);
    expect(health.isAvailable(1900)).toBe(true);
  });

  test('stays in when its failures lie further apart', () => {
    const health = new PeerHealth(2, 1000);
    health.onFailure(0);
    expect(health.onFailure(1001)).toBe(false);
    expect(health.isAvailable(1002)).toBe(true);
    expect(health.onFailure(1500)).toBe(true);
  });

  test('is probed by one request at a time when its window ends', () => {
    const health = new PeerHealth(1, 1000);
    health.onFailure(0);
    health.onPick(1000);
    expect(health.isAvailable(1001)).toBe(false);
    expect(health.isAvailable(2000)).toBe(true);
  });

  test('is back with the success of a probe, and out again with its failure', () => {
    const health = new PeerHealth(1, 1000);
    health.onFailure(0);
    health.onPick(1000);
    health.onFailure(1100);
    expect(health.isAvailable(1200)).toBe(false);
    health.onPick(2100);
    health.onSuccess(2100);
    expect(health.isAvailable(2101)).toBe(true);
    expect(health.failed).toBe(false);
  });

  test('is not back with a success that is older than its failure', () => {
    const health = new PeerHealth(1, 1000);
    health.onPick(0);
    health.onFailure(1);
    health.onSuccess(1);
    expect(health.isAvailable(2)).toBe(false);
  });

  test('is never out when no number of failures is set', () => {
    const health = new PeerHealth(0, 1000);
    for (let i = 0; i < 10; i++) expect(health.onFailure(i)).toBe(false);
    expect(health.isAvailable(11)).toBe(true);
  });
});
