// What it takes to start one instance: where it is to listen, and with which program, environment, folder and identity.

import { inspectorOptions } from './blocked-program.ts';
import type { ChildOptions } from './child-program.ts';
import { findFreePort } from './find-free-port.ts';
import { endWithParent, findProgram } from './find-program.ts';
import { createInstanceEnvironment } from './instance-environment.ts';
import type { AppSettings, ProgramSettings } from './program-settings.ts';
import type { ProgramAddress } from './readiness.ts';
import type { SocketFolder } from './socket-folder.ts';

/** Which instance of which upstream. */
export interface InstancePlace {
  readonly upstream: string;
  /** From 1. */
  readonly number: number;
  readonly address: ProgramAddress;
}

/** Everything about a child but who listens to it. */
export type InstanceLaunch = Omit<ChildOptions, 'onOutput' | 'onMessage' | 'onExit'> &
  (
    | { readonly entry: URL; readonly nodeOptions: readonly string[] }
    | { readonly command: readonly string[] }
  );

/** An address that no instance has: a socket in the folder, or a port where the program wants one. */
export function chooseAddress(
  settings: ProgramSettings,
  folder: SocketFolder,
  upstream: string,
  number: number,
): ProgramAddress {
  if ('command' in settings && wantsPort(settings.command, settings.env)) {
    return { host: '127.0.0.1', port: findFreePort() };
  }
  return { path: folder.createPath(`${upstream}-${number}`, findIdentity(settings)) };
}

/** Throws an error that says so when there is no such program. @param entry the program of app instances */
export function createLaunch(settings: ProgramSettings, place: InstancePlace, entry: URL): InstanceLaunch {
  const { env, cwd, umask, user } = settings;
  const { upstream, number, address } = place;
  const fill = createFiller(address, number);
  const given = 'command' in settings ? mapValues(env, fill) : env;
  const environment = createInstanceEnvironment(process.env, given, upstream, number, user);
  const common = {
    environment,
    cwd,
    ...(umask === undefined ? {} : { umask }),
    ...withIdentity(settings),
  };
  if (!('command' in settings)) {
    return { ...common, entry, nodeOptions: listNodeOptions(settings, environment) };
  }
  const [name, ...words] = settings.command.map(fill);
  const program = findProgram(name, environment.PATH ?? '', cwd);
  if (program === null) throw new Error(`there is no program ${JSON.stringify(name)}`);
  return { ...common, command: endWithParent([program, ...words]) };
}

function wantsPort(command: readonly string[], env: Readonly<Record<string, string>>): boolean {
  return [...command, ...Object.values(env)].some((text) => text.includes('{port}'));
}

function createFiller(address: ProgramAddress, number: number): (text: string) => string {
  const values: Readonly<Record<string, string>> = {
    instance: String(number),
    ...('path' in address ? { socket: address.path } : { port: String(address.port) }),
  };
  return (text) =>
    text.replace(/\{(socket|port|instance)\}/g, (whole, name: string) => values[name] ?? whole);
}

function mapValues(
  values: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}

function findIdentity({ user, group }: ProgramSettings): { uid: number; gid: number } | undefined {
  if (user === undefined && group === undefined) return undefined;
  return {
    uid: user?.uid ?? process.getuid?.() ?? 0,
    gid: group ?? user?.gid ?? process.getgid?.() ?? 0,
  };
}

function withIdentity(settings: ProgramSettings): Pick<ChildOptions, 'identity'> {
  const identity = findIdentity(settings);
  return identity === undefined ? {} : { identity };
}

function listNodeOptions(settings: AppSettings, environment: NodeJS.ProcessEnv): string[] {
  const heap = settings.heap === undefined ? [] : [`--max-old-space-size=${settings.heap}`];
  // Whoever debugs an application says himself where the inspector is.
  const isDebugged = (environment.NODE_OPTIONS ?? '').includes('--inspect');
  return isDebugged ? heap : [...heap, ...inspectorOptions];
}
