// -s: tells a running server something, found by the pid file that its config names.

import { readFileSync } from 'node:fs';
import { readPidFile } from '../process/pid-file.ts';
import type { ServerSignal } from './parse-arguments.ts';
import type { SiteSource } from './site-source.ts';

const signals: Readonly<Record<ServerSignal, NodeJS.Signals>> = {
  reload: 'SIGHUP',
  quit: 'SIGQUIT',
  stop: 'SIGTERM',
  reopen: 'SIGUSR1',
};

/** Sends it. Returns the exit code, after saying what is in the way. Throws a ConfigError for an unreadable config. */
export function sendSignal(source: SiteSource, signal: ServerSignal): number {
  const file = source.findPidFile();
  if (file === null) {
    complain(`${source.name} names no pid file: add "pid": "tsserve.pid" and start the server anew`);
    return 2;
  }
  const pid = findServer(file);
  if (typeof pid === 'string') {
    complain(pid);
    return 1;
  }
  try {
    process.kill(pid, signals[signal]);
    return 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') complain(`no server is running: ${file} names process ${pid}, which is gone`);
    else complain(`cannot signal process ${pid}: ${code === 'EPERM' ? 'permission denied' : code}`);
    return 1;
  }
}

/** The master's process id, or what is wrong. */
function findServer(file: string): number | string {
  let pid: number | null;
  try {
    pid = readPidFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? `no server is running: there is no ${file}` : `cannot read ${file}: ${code}`;
  }
  if (pid === null) return `${file} holds no process id`;
  // After a crash or a reboot the id may belong to anybody.
  return isForeign(pid) ? `no server is running: process ${pid} of ${file} is another program` : pid;
}

function isForeign(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('tsserve');
  } catch {
    // Gone, or no /proc here: sending the signal will tell.
    return false;
  }
}

function complain(problem: string): void {
  process.stderr.write(`tsserve: ${problem}\n`);
}
