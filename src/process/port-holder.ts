// Who holds a busy port: asked of /proc, and only for an error message. Silence where the system does not tell.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** " (held by nginx, pid 4711)", with advice when it is this server; "" when that cannot be found out. */
export function describePortHolder(port: number): string {
  try {
    const inodes = findListeningInodes(port);
    const pid = inodes.size === 0 ? null : findSocketOwner(inodes);
    if (pid === null) return '';
    if (Number(pid) === process.pid)
      return ` (held by this process itself, pid ${pid}); to widen an address, start the server anew`;
    return ` (held by ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}, pid ${pid})`;
  } catch {
    return '';
  }
}

function findListeningInodes(port: number): Set<string> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readOrNothing(table).split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      const isListening = columns[3] === '0A';
      if (isListening && Number.parseInt(columns[1].split(':')[1], 16) === port) inodes.add(columns[9]);
    }
  }
  return inodes;
}

function findSocketOwner(inodes: ReadonlySet<string>): string | null {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined && inodes.has(inode)) return pid;
      }
    } catch {
      // Ended meanwhile, or somebody else's.
    }
  }
  return null;
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
