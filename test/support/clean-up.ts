// Whatever a test opens is closed when its file ends, whether it passed or not. Outside vitest (the bench, npm run dev)
// it is closed when the script asks for it or the process ends.

type CloseIt = () => unknown;

const pending = new Set<CloseIt>();

/** Runs `closeIt` when the test file ends, last come first served, unless the returned function took it back. */
export function cleanUpLater(closeIt: CloseIt): () => void {
  pending.add(closeIt);
  return () => pending.delete(closeIt);
}

/** Runs what is pending. A failure does not keep the rest from running; the first one is thrown at the end. */
export async function cleanUpNow(): Promise<void> {
  const failures: unknown[] = [];
  for (const closeIt of [...pending].reverse()) {
    pending.delete(closeIt);
    try {
      await closeIt();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

// A module imported by a test file is loaded anew for each file, so this is a hook of the file.
if (process.env.VITEST !== undefined) {
  const { afterAll } = await import('vitest');
  afterAll(cleanUpNow);
}
