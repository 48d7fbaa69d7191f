// Resident memory of a process and of all that it started, read from /proc; where there is none, nothing is watched.

import { readFile } from 'node:fs/promises';

const lookMs = 1_000;
const bytesPerKib = 1024;

/** Bytes, or null when there is no such process or no /proc. Pages that processes share count for each of them. */
export async function readTreeMemory(pid: number): Promise<number | null> {
  const own = await readResident(pid);
  if (own === null) return null;
  const children = await readChildren(pid);
  const theirs = await Promise.all(children.map(readTreeMemory));
  return theirs.reduce((sum: number, bytes) => sum + (bytes ?? 0), own);
}

async function readResident(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return match === null ? null : Number(match[1]) * bytesPerKib;
}

async function readChildren(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

/** Looks at a process once a second. */
export class MemoryWatch {
  readonly #timer: NodeJS.Timeout;

  /** Calls `onExcess` once, when it has more than `limit` bytes. */
  constructor(pid: number, limit: number, onExcess: (bytes: number) => void) {
    this.#timer = setInterval(async () => {
      const bytes = await readTreeMemory(pid);
      if (bytes === null || bytes <= limit || this.#stopped) return;
      this.stop();
      onExcess(bytes);
    }, lookMs);
  }

  #stopped = false;

  /** Watches no longer. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
  }
}
