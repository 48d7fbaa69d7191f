// Is anybody there? A unix socket file stays behind when its server was killed; only a connect tells.

import { connect } from 'node:net';

const patienceMs = 1_000;

/** Whether a server accepts connections on a unix socket. One too busy to answer in time counts as there. */
export function isSocketAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => finish(true), patienceMs);
    socket.once('connect', () => finish(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      finish(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}
