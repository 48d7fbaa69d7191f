// Tests that need a program of the system: skipped by name where it is missing, a failure under CI.

import { describe, test } from 'vitest';
import { findTool } from './find-tool.ts';

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
