// A real nginx as a server behind ours.

import { join } from 'node:path';
import { type RunningProcess, startProcess } from './run-tsserve.ts';
import { waitUntilListening } from './start-server.ts';
import { createTempFolder, writeFiles } from './temp-folder.ts';

/** Starts nginx with the text of an `http` block, and waits until it accepts at a port of 127.0.0.1. */
export async function startNginx(program: string, port: number, http: string): Promise<RunningProcess> {
  const folder = createTempFolder();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${each};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const config = `
    daemon off;
    worker_processes 1;
    pid nginx.pid;
    ${user}
    error_log stderr error;
    events {}
    http {
      access_log off;
      ${temporary.join('\n')}
      ${http}
    }
  `;
  writeFiles(folder, { 'nginx.conf': config });
  const running = startProcess([program, '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')]);
  await waitUntilListening(running, port);
  return running;
}
