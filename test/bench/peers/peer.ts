// What the bench asks of a server that takes part in it.

import { spawnSync } from 'node:child_process';
import { findTool } from '../../support/find-tool.ts';
import { findFreePort } from '../../support/free-port.ts';
import { startProcess } from '../../support/run-tsserve.ts';
import { waitUntilListening } from '../../support/start-server.ts';
import { createTempFolder, writeFiles } from '../../support/temp-folder.ts';
import type { BenchApplication } from '../applications.ts';
import { pinTo, serverCore } from '../cores.ts';
import type { Ability } from '../kinds.ts';

/** What every peer serves. */
export interface BenchSite {
  /** Folder of the files. */
  readonly root: string;
  /** Port of the upstream behind /proxied/; 0 when nothing is proxied. */
  readonly upstreamPort: number;
  /** The application behind /NAME/, with the unix socket of one for peers that run none themselves. */
  readonly application: (BenchApplication & { readonly socketPath: string }) | null;
  /** Further locations, /route-0/ and so on, each with a short answer of its own. */
  readonly routes: number;
  /** Folder for CPU profiles of our own processes; empty for none. */
  readonly profileFolder: string;
  /** Path of the Node that programs run on. */
  readonly node: string;
}

/** A server under way. */
export interface StartedPeer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<unknown>;
}

/** One server. */
export interface BenchPeer {
  readonly name: string;
  readonly abilities: readonly Ability[];
  /** Runs applications by itself: the one behind the socket is not its. */
  readonly runsApps: boolean;
  /** Why it cannot take part here, or null. */
  findObstacle(): string | null;
  /** `node`: path of the Node it would run on. */
  readVersion(node: string): string;
  /** Starts it on the server's core and waits until it listens. It ends with the bench. */
  start(site: BenchSite): Promise<StartedPeer>;
}

/** A program of the system: how to start it with a config file of one's own. */
export interface ProgramPeer {
  readonly name: string;
  readonly abilities: readonly Ability[];
  /** Arguments that make it tell its version. */
  readonly versionArguments: readonly string[];
  renderConfig(port: number, site: BenchSite): string;
  /** Arguments that make it serve in the foreground. */
  listArguments(folder: string, configFile: string): readonly string[];
}

/** Makes a peer of a program. */
export function createProgramPeer(program: ProgramPeer): BenchPeer {
  const path = findTool(program.name);
  return {
    name: program.name,
    abilities: program.abilities,
    runsApps: false,
    findObstacle: () => (path === null ? `${program.name} is not installed` : null),
    readVersion: () => readVersion(path ?? program.name, program.versionArguments),
    start: async (site) => {
      const port = await findFreePort();
      const folder = createTempFolder();
      writeFiles(folder, { config: program.renderConfig(port, site) });
      const commandLine = [path ?? program.name, ...program.listArguments(folder, `${folder}/config`)];
      // Some keep a copy of what they were told in the user's folders.
      const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
      return startPinned(commandLine, port, { env });
    },
  };
}

/** Starts a command line on a core (default: the server's) and waits until it listens. */
export async function startPinned(
  commandLine: readonly string[],
  port: number,
  { core = serverCore, env = {} }: { core?: number; env?: Record<string, string> } = {},
): Promise<StartedPeer> {
  const running = startProcess(commandLine, { before: pinTo(core), env });
  await waitUntilListening(running, port);
  return { port, pid: running.pid, stop: () => running.stop() };
}

/** A site with files alone, for those who need no more. */
export function createFileSite(root: string, node: string): BenchSite {
  return { root, node, upstreamPort: 0, application: null, routes: 0, profileFolder: '' };
}

/** The first number with dots in what a program says of itself. */
export function readVersion(path: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(path, args, { encoding: 'utf8' });
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}
