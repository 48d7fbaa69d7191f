import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EarlySignals } from '../../src/cli/early-signals.ts';

const made: EarlySignals[] = [];

function createSignals(): EarlySignals {
  const signals = new EarlySignals();
  made.push(signals);
  return signals;
}

afterEach(() => {
  vi.restoreAllMocks();
  for (const signals of made.splice(0)) signals.close();
});

/** As the system delivers it, without a signal on its way to anybody else. */
const deliver = (signal: NodeJS.Signals) => void process.emit(signal, signal);

describe('a signal that comes before anybody obeys', () => {
  test('is remembered when it asks for a reload', () => {
    const signals = createSignals();
    expect(signals.reloadAsked).toBe(false);
    deliver('SIGUSR1');
    expect(signals.reloadAsked).toBe(false);
    deliver('SIGHUP');
    expect(signals.reloadAsked).toBe(true);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGQUIT'] as const)('stops what starts: %s', async (signal) => {
    const stop = vi.fn();
    const [before, after] = [createSignals(), createSignals()];
    before.onStop(stop);
    expect(stop).toHaveBeenCalledTimes(0);
    deliver(signal);
    expect(stop).toHaveBeenCalledTimes(1);
    after.onStop(stop);
    expect(stop).toHaveBeenCalledTimes(2);
    await nextTurn();
    expect(stop).toHaveBeenCalledTimes(2);
  });

  test('has its default action after all in a command that serves nothing', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const listeners = process.listenerCount('SIGTERM');
    const signals = createSignals();
    deliver('SIGTERM');
    expect(kill).not.toHaveBeenCalled();
    signals.release();
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGTERM']]);
    expect(process.listenerCount('SIGTERM')).toBe(listeners);
  });
});
