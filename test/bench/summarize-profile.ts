// Where the time of a CPU profile went, function by function: enough to see what to look at in a flame graph.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { formatShare, renderPlain } from './tables/table.ts';

/** What matters here of a .cpuprofile file. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node of each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/** The functions with the most time of their own, as shares of the time that was not idle. */
export function listHotFunctions(profile: CpuProfile, count: number): { name: string; share: number }[] {
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameFrame(callFrame)]));
  const times = new Map<string, number>();
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '?';
    times.set(name, (times.get(name) ?? 0) + profile.timeDeltas[index]);
  }
  times.delete('(idle)');
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([name, time]) => ({ name, share: time / total }));
}

/** A table for each profile in a folder and those in it. */
export function renderProfiles(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.cpuprofile'));
  const tables = files.map((file) => {
    const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
    const rows = listHotFunctions(profile, 30).map(({ name, share }) => [name, formatShare(share)]);
    return renderPlain({ header: [join(folder, file), 'own time'], rows });
  });
  return `${tables.join('\n\n')}\n`;
}

function nameFrame({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? 'anonymous' : functionName;
  return url === '' ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
