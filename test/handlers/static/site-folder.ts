// A temporary folder with a document root in it and secrets around it.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { StaticSettings } from '../../../src/handlers/static/static-shape.ts';

/** What no answer may ever hold. */
export const secret = 'PLANTED-SECRET';

/** A folder to serve from. */
export class SiteFolder {
  readonly base = realpathSync(mkdtempSync(join(tmpdir(), 'tsserve-static-')));
  readonly root = join(this.base, 'public');

  constructor() {
    mkdirSync(this.root);
  }

  /** Writes a file, path relative to the root, and makes it old enough to be cached. */
  write(path: string, content: string | Uint8Array = `content of ${path}`): string {
    const full = this.writeFresh(path, content);
    const longAgo = new Date('2024-03-01T12:00:00.123Z');
    utimesSync(full, longAgo, longAgo);
    return full;
  }

  /** Writes a file and leaves its time as the system sets it. */
  writeFresh(path: string, content: string | Uint8Array): string {
    const full = join(this.root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** Settings for a root, with the defaults of the shape unless given. */
export function createSettings(root: string, settings: Partial<StaticSettings> = {}): StaticSettings {
  return {
    root,
    index: ['index.html'],
    fallback: null,
    dotfiles: false,
    symlinks: 'inside',
    tryFiles: null,
    cleanUrls: false,
    precompressed: [],
    autoindex: 'off',
    cacheControl: true,
    immutable: null,
    types: {},
    defaultType: 'application/octet-stream',
    charset: 'utf-8',
    download: false,
    stripPrefix: '',
    cacheFileSize: 256 * 1024,
    cacheSize: 32 * 1024 * 1024,
    largeCacheSize: 32 * 1024 * 1024,
    ...settings,
  };
}

/** How many open descriptors of this process lead below a folder. */
export function countOpenFiles(folder: string): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)) count++;
    } catch {
      // The descriptor of readdir itself is gone by now.
    }
  }
  return count;
}

/** Waits until no descriptor below the folder is open, at most a second. */
export async function waitForClosedFiles(folder: string): Promise<number> {
  for (let i = 0; i < 100 && countOpenFiles(folder) > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return countOpenFiles(folder);
}
