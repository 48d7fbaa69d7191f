import { expect, test } from 'vitest';
import { describeExit } from '../../src/process/describe-exit.ts';

test.each([
  [
    'T35: a SIGKILL that we did not send',
    null,
    'SIGKILL',
    false,
    'was killed by the system (memory?) with SIGKILL',
  ],
  ['a SIGKILL of ours', null, 'SIGKILL', true, 'ended on SIGKILL from the master'],
  ['a crash of the engine', null, 'SIGABRT', false, 'aborted with SIGABRT (out of memory?)'],
  ['another signal', null, 'SIGSEGV', false, 'ended on SIGSEGV'],
  ['an exit code', 3, null, false, 'exited with code 3'],
  ['a proper end', 0, null, false, 'ended'],
] as const)('%s', (_, code, signal, ours, text) => {
  expect(describeExit(code, signal, ours)).toBe(text);
});
