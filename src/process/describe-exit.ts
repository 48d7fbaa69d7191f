// How a process ended, in words for the log.

/** @param signalledByUs whether we sent the signal ourselves */
export function describeExit(
  code: number | null,
  signal: NodeJS.Signals | null,
  signalledByUs: boolean,
): string {
  if (signal === 'SIGKILL' && !signalledByUs) return 'was killed by the system (memory?) with SIGKILL';
  if (signal === 'SIGABRT' && !signalledByUs) return 'aborted with SIGABRT (out of memory?)';
  if (signal !== null) return `ended on ${signal}${signalledByUs ? ' from the master' : ''}`;
  return code === 0 ? 'ended' : `exited with code ${code}`;
}
