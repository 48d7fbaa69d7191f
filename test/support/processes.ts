// The processes behind a server, as the system sees them.

import { existsSync, readFileSync } from 'node:fs';

/** The processes that a process has started and that still run, oldest first. */
export function listChildren(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** Those of them whose command line, or title, has the text in it. */
export function findChildren(pid: number, text: string): number[] {
  return listChildren(pid).filter((child) => readCommandLine(child).includes(text));
}

/** Whether a process runs. One that has ended but was not asked for its exit code does not. */
export function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function readCommandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
