// The settings of a folder that is served without a config: what a config for a static site would say, checked like one.

import { existsSync, statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { SiteSettings } from '../server/site-settings.ts';
import { ArgumentError, type Arguments } from './parse-arguments.ts';
import type { SiteSource } from './site-source.ts';

const standardPort = 8080;
/** As other servers of a folder do: what lies in one is not for the whole network until somebody says so. */
const standardHost = 'localhost';

/**
 * The source of a folder. Throws an {@link ArgumentError} when there is nothing to serve.
 * @param prefix absolute, where the path of the folder starts
 * @param overrides keys of a config that replace ours
 */
export function createFolderSource(
  args: Arguments & { readonly folder: string },
  prefix: string,
  overrides: Readonly<Record<string, unknown>>,
): SiteSource {
  const root = findFolder(args, prefix);
  checkOverrides(args, overrides);
  const { host = standardHost } = args;
  let port = args.port ?? standardPort;
  let isChosen = !args.autoPort;
  const check = async (): Promise<SiteSettings> => {
    const { checkSite } = await import('../server/check-site.ts');
    const site = { listen: { host, port }, ...describeSite(args, root), ...overrides };
    return checkSite(site, { directory: prefix, name: 'the command line' });
  };
  return {
    name: relative('', root) || '.',
    file: null,
    findPidFile: () => null,
    read: async () => {
      const settings = await check();
      if (isChosen) return settings;
      // Once: a reload finds the port taken, by ourselves.
      isChosen = true;
      const { choosePort } = await import('./choose-port.ts');
      const choice = await choosePort(settings.servers[0].listen[0]);
      if (choice.port === port) return settings;
      port = choice.port;
      if (!args.quiet) process.stderr.write(`tsserve: ${choice.obstacle}; taking port ${port}\n`);
      return check();
    },
  };
}

function findFolder({ folder, spa }: Arguments & { readonly folder: string }, prefix: string): string {
  const root = resolve(prefix, folder);
  const found = statSync(root, { throwIfNoEntry: false });
  if (found === undefined) throw new ArgumentError(`error: there is no folder ${folder}`);
  if (!found.isDirectory()) {
    throw new ArgumentError(`error: ${folder} is not a folder (a config is named with -c)`);
  }
  if (spa && !existsSync(resolve(root, 'index.html'))) {
    throw new ArgumentError(`error: --spa: there is no index.html in ${folder}`);
  }
  return root;
}

/** An option that -g makes void is a mistake. */
function checkOverrides(args: Arguments, overrides: Readonly<Record<string, unknown>>): void {
  const listens = args.port !== undefined || args.host !== undefined || args.autoPort;
  if (listens && 'listen' in overrides) {
    throw new ArgumentError('error: -g replaces "listen": leave out --port, --host and --auto-port');
  }
  if ((args.spa || args.listing) && 'routes' in overrides) {
    throw new ArgumentError('error: -g replaces "routes": leave out --spa and --listing');
  }
}

function describeSite({ spa, listing }: Arguments, root: string): Record<string, unknown> {
  const fallback = spa ? '/index.html' : null;
  const settings = { root, precompressed: true, autoindex: listing, fallback };
  return { compress: true, routes: [{ path: '/', static: settings }] };
}
