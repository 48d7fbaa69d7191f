// Users and groups of this system by name, as a config names them: looked up in /etc/passwd and /etc/group, or given
// as numbers where accounts live elsewhere.

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { addProblem } from '../config/shape/add-problem.ts';
import { suggestName } from '../config/suggest-name.ts';

/** A user that programs run as. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
  /** The name, or the number as text. */
  readonly name: string;
  /** "/" for a number that has no account. */
  readonly home: string;
}

/** A user by name or number. Comes out as {@link SystemUser}. */
export function systemUser() {
  return z.union([z.string().min(1), z.int().min(0)]).transform((given, context): SystemUser => {
    const accounts = readAccounts('/etc/passwd');
    const found = accounts.find(([name, , id]) => name === given || id === String(given));
    if (found !== undefined) {
      const [name, , uid, gid, , home] = found;
      return { name, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home };
    }
    const id = toId(given);
    if (id !== null) return { name: String(id), uid: id, gid: id, home: '/' };
    return complain(context, 'user', given, accounts);
  });
}

/** A group by name or number. Comes out as its number. */
export function systemGroup() {
  return z.union([z.string().min(1), z.int().min(0)]).transform((given, context): number => {
    const groups = readAccounts('/etc/group');
    const found = groups.find(([name]) => name === given);
    if (found !== undefined) return Number(found[2]);
    return toId(given) ?? complain(context, 'group', given, groups);
  });
}

function complain(
  context: Parameters<typeof addProblem>[0],
  kind: string,
  given: string | number,
  known: readonly string[][],
): never {
  const near = suggestName(
    String(given),
    known.map(([name]) => name),
  );
  const hint = near === null ? 'a name of this system, or a number' : `did you mean "${near}"?`;
  return addProblem(context, `there is no ${kind} ${JSON.stringify(given)} on this system`, hint);
}

function toId(given: string | number): number | null {
  return /^\d{1,9}$/.test(String(given)) ? Number(given) : null;
}

/** The lines of such a file, cut at their colons; none where there is no such file. */
function readAccounts(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
