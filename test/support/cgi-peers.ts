// Real servers of the CGI family for tests: php-fpm with a folder of scripts, uWSGI with a Python application; and a
// relay in front of any of them that counts connections.

import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { cleanUpLater } from './clean-up.ts';
import { type RunningProcess, startProcess } from './run-tsserve.ts';
import { waitUntilListening } from './start-server.ts';
import { createTempFolder } from './temp-folder.ts';

/** A peer that runs. */
export interface CgiPeer {
  readonly process: RunningProcess;
  /** Its unix socket. */
  readonly socket: string;
}

/** Starts php-fpm with some processes. Bodies may have 64 MiB. */
export async function startPhpFpm(program: string, processes = 3): Promise<CgiPeer> {
  const folder = createTempFolder();
  const socket = join(folder, 'php.sock');
  const config = [
    '[global]',
    `error_log = ${join(folder, 'php-fpm.log')}`,
    '[www]',
    `listen = ${socket}`,
    'pm = static',
    `pm.max_children = ${processes}`,
    // As weak as php-fpm gets, so that what must not run is not saved by it.
    'security.limit_extensions =',
    'php_admin_value[post_max_size] = 64M',
    'php_admin_value[upload_max_filesize] = 64M',
  ].join('\n');
  const file = join(createTempFolder({ 'php-fpm.conf': `${config}\n` }), 'php-fpm.conf');
  const running = startProcess([program, '-F', '-R', '-n', '-y', file]);
  await waitUntilListening(running, socket);
  return { process: running, socket };
}

/** Starts uWSGI with a Python module whose `application` answers, speaking "uwsgi" or "scgi". */
export async function startUwsgi(
  program: string,
  protocol: 'uwsgi' | 'scgi',
  application: string,
): Promise<CgiPeer> {
  const folder = createTempFolder({ 'application.py': application });
  const socket = join(folder, 'app.sock');
  const running = startProcess([
    program,
    protocol === 'uwsgi' ? '--socket' : '--scgi-socket',
    socket,
    ...['--wsgi-file', join(folder, 'application.py'), '--need-app', '--master', '--die-on-term'],
    ...['--processes', '2', '--buffer-size', '65535', '--lazy-apps', '--single-interpreter'],
  ]);
  await waitUntilListening(running, socket);
  return { process: running, socket };
}

/** A relay to a unix socket. */
export interface Relay {
  /** "127.0.0.1:PORT". */
  readonly address: string;
  /** Connections so far. */
  readonly connections: number;
}

/** Starts a relay to a unix socket on a free port. */
export async function startRelay(socketPath: string): Promise<Relay> {
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    const peer = connect(socketPath);
    client.pipe(peer).pipe(client);
    client.on('error', () => peer.destroy());
    peer.on('error', () => client.destroy());
    cleanUpLater(() => void client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUpLater(() => void server.close());
  const bound = server.address() as { port: number };
  return {
    address: `127.0.0.1:${bound.port}`,
    get connections() {
      return connections;
    },
  };
}
