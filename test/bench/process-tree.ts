// CPU time and memory of processes and of cores, as Linux counts them in /proc.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));

/** What /proc/PID/stat says of a process, as far as it matters here. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time so far, in clock ticks. */
  readonly ticks: number;
}

/** Reads a line of /proc/PID/stat. The program's name may hold spaces and brackets: the last bracket ends it. */
export function parseProcessStat(line: string): ProcessStat {
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return {
    pid: Number.parseInt(line, 10),
    parent: Number(rest[1]),
    ticks: Number(rest[11]) + Number(rest[12]),
  };
}

/** The processes among `all` that are one of `roots` or descend from one. */
export function findTree(all: readonly ProcessStat[], roots: readonly number[]): ProcessStat[] {
  const inTree = new Set(roots);
  for (let before = -1; before !== inTree.size; ) {
    before = inTree.size;
    for (const each of all) if (inTree.has(each.parent)) inTree.add(each.pid);
  }
  return all.filter((each) => inTree.has(each.pid));
}

/** Process ids of `roots` and all that descends from them, parents first. */
export function listTree(roots: readonly number[]): number[] {
  return findTree(readAllStats(), roots).map((each) => each.pid);
}

/** CPU seconds, user and system, that the processes and all that descends from them have used so far. */
export function readCpuSeconds(roots: readonly number[]): number {
  const ticks = findTree(readAllStats(), roots).reduce((sum, each) => sum + each.ticks, 0);
  return ticks / ticksPerSecond;
}

/** Seconds that a core was busy with anything since the machine started. */
export function readCoreSeconds(core: number): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`cpu${core} `));
  if (line === undefined) throw new Error(`there is no core ${core}`);
  const [user, nice, system, , , irq, softirq] = line.split(' ').slice(1).map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}

/** Resident memory of a process in KiB. */
export function readResidentKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const size = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  if (size === null) throw new Error(`process ${pid} has no memory`);
  return Number(size[1]);
}

/** Memory of a process in KiB, with its part of each page that it shares: what several take together is the sum. */
export function readProportionalKiB(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const size = /^Pss:\s+(\d+) kB$/m.exec(rollup);
  if (size === null) throw new Error(`process ${pid} has no memory`);
  return Number(size[1]);
}

function readAllStats(): ProcessStat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))];
      } catch {
        // It ended since the folder was read.
        return [];
      }
    });
}
