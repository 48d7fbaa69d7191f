// Loaded before a program of Node (by --import in NODE_OPTIONS): samples what it does, and writes a CPU profile into the
// folder TSSERVE_PROFILE when it ends. Node's own --cpu-prof does not reach workers and applications.

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.TSSERVE_PROFILE;

if (folder !== undefined && isMainThread) {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  // Loading and compiling would hide what a request costs.
  setTimeout(() => session.post('Profiler.start'), 1_000).unref();
  process.on('exit', () => {
    session.post('Profiler.stop', (error, stopped) => {
      if (error !== null) return;
      const name = process.title.replaceAll(/[^\w]+/g, '-');
      writeFileSync(join(folder, `${name}-${process.pid}.cpuprofile`), JSON.stringify(stopped.profile));
    });
  });
}
