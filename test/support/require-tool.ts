// Tests that need a program of the system: skipped by name where it is missing, a failure under CI.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

/** The full path of a program on PATH (or in /usr/sbin), or null. */
export function findTool(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  const isProgram = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

/** A `describe` that needs a program; the body gets its full path. */
export function describeWithTool(tool: string, title: string, body: (path: string) => void): void {
  const path = findTool(tool);
  if (path !== null) {
    describe(title, () => body(path));
    return;
  }
  if (process.env.CI !== undefined) {
    test(`${title}: ${tool} is installed`, () => {
      throw new Error(`${tool} is not installed, and CI must not skip`);
    });
    return;
  }
  describe.skip(`${title} (skipped: ${tool} is not installed)`, () => test('needs it', () => {}));
}
