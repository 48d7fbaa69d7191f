// A server for a test: a config object in a folder of its own, on a free port, ready when this returns.

import { connect } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { type RunningProcess, type RunOptions, startTsserve } from './run-tsserve.ts';
import { createTempFolder, writeFiles } from './temp-folder.ts';
import { waitUntil } from './wait-until.ts';

/** A site as it stands in a config file. Without `listen`, a free port of 127.0.0.1 is taken. */
export type SiteConfig = { listen?: unknown; [key: string]: unknown };

/** What to start besides the site. */
export interface StartOptions extends RunOptions {
  /** Files beside the config, by path: `{ 'public/a.txt': 'a' }`. Paths in the config are relative to the folder. */
  readonly files?: Record<string, string | Uint8Array>;
  /** More arguments. */
  readonly args?: readonly string[];
  /** How long the start may take, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** A running server. */
export interface StartedServer {
  readonly process: RunningProcess;
  /** The folder with the config and the files. */
  readonly folder: string;
  readonly configFile: string;
  /** The first listening port; 0 when the first listener is a unix socket. */
  readonly port: number;
  /** "http://127.0.0.1:PORT", without a slash at the end. */
  readonly url: string;
  /** Replaces the config file. Tell the server with `process.sendSignal('SIGHUP')`. */
  writeConfig(config: SiteConfig): void;
  /** Stops the server and waits: `process.stop`. */
  readonly stop: RunningProcess['stop'];
}

/** Starts the binary with a site and waits until its first listener accepts. Stopped when the test file ends. */
export async function startServer(config: SiteConfig, options: StartOptions = {}): Promise<StartedServer> {
  const listen = config.listen ?? `127.0.0.1:${await findFreePort()}`;
  const folder = createTempFolder(options.files);
  const configFile = join(folder, 'site.json');
  const writeConfig = (next: SiteConfig): void => {
    writeFiles(folder, { 'site.json': JSON.stringify({ listen, ...next }, null, 2) });
  };
  writeConfig(config);
  const running = startTsserve(['-c', configFile, ...(options.args ?? [])], options);
  const address = readFirstAddress(listen, folder);
  await waitUntilListening(running, address, options.timeoutMs);
  const port = typeof address === 'number' ? address : 0;
  return {
    process: running,
    folder,
    configFile,
    port,
    url: `http://127.0.0.1:${port}`,
    writeConfig,
    stop: running.stop,
  };
}

/** Waits until something accepts connections at a port of 127.0.0.1 or a socket path, while the process lives. */
export async function waitUntilListening(
  running: RunningProcess,
  address: number | string,
  timeoutMs?: number,
): Promise<void> {
  await waitUntil(
    `a listener at ${address}`,
    () => {
      if (!running.isRunning) throw new Error(`the process ended instead of listening:\n${running.stderr}`);
      return isListening(address);
    },
    timeoutMs,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${running.stderr}`);
  });
}

function isListening(address: number | string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address);
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** The port or socket path of the first listener: 8080, "127.0.0.1:8080", "unix:run/a.sock", { port }, or a list. */
function readFirstAddress(listen: unknown, folder: string): number | string {
  if (Array.isArray(listen)) return readFirstAddress(listen[0], folder);
  if (typeof listen === 'number') return listen;
  if (typeof listen === 'object' && listen !== null && 'port' in listen) return Number(listen.port);
  const text = String(listen);
  if (text.startsWith('unix:')) return join(folder, text.slice('unix:'.length));
  return Number(text.slice(text.lastIndexOf(':') + 1));
}
