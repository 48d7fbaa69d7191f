// Which files and folders may answer a path, in which order, and the first of them that is there. Compiled from
// `tryFiles`, or from what holds without it: the file, with `cleanUrls` the page of that name, the folder.

import { closeSync } from 'node:fs';
import type { Exchange } from '../../message/exchange.ts';
import { type FoundFile, findFile, findIndex } from './find-file.ts';
import { isServablePath } from './is-servable-path.ts';
import { compilePathTemplate, isPathTemplate } from './path-template.ts';
import type { StaticRoot } from './static-root.ts';
import type { StaticSettings } from './static-shape.ts';

/** A place to look: for a folder the path ends in a slash. "" for none. */
type ToPath = (path: string, exchange: Exchange) => string;

interface Step {
  readonly kind: 'file' | 'folder';
  readonly toPath: ToPath;
}

/** The folder at `folder`, which ends in a slash, is the answer, and has no index: there is its listing. */
export interface FoundFolder {
  readonly folder: string;
}

/** What was found: a file, a folder to be listed, or a folder whose path lacks the slash at its end. */
export type Found = FoundFile | FoundFolder | 'unslashed';

/** Looks for files below one root. */
export class FileLookup {
  readonly #root: StaticRoot;
  readonly #settings: StaticSettings;
  readonly #steps: readonly Step[];
  /** Whether an answer depends on nothing but the path. */
  readonly isByPath: boolean;

  constructor(root: StaticRoot, settings: StaticSettings) {
    this.#root = root;
    this.#settings = settings;
    const { tryFiles } = settings;
    const places = tryFiles === null ? [] : tryFiles.slice(0, -1);
    this.#steps = tryFiles === null ? createStandardSteps(settings.cleanUrls) : places.map(compileStep);
    this.isByPath = places.every(isPathTemplate);
  }

  /** Finds what answers `path`, which is below the root. Null for nothing. Throws as {@link StaticRoot.open} does. */
  find(path: string, exchange: Exchange): Found | null {
    // What the step before has learnt about a path: a folder's name is first looked for as a file's.
    let knownPath = '';
    let known: 'folder' | null = null;
    for (const { kind, toPath } of this.#steps) {
      const place = toPath(path, exchange);
      if (place === '' || !isServablePath(place, this.#settings.dotfiles)) continue;
      if (kind === 'file') {
        if (place.endsWith('/')) continue;
        const found = findFile(this.#root, place);
        if (found !== null && found !== 'folder') return found;
        knownPath = `${place}/`;
        known = found;
      } else if (place !== knownPath || known === 'folder') {
        const found = this.#findFolder(place, path, place === knownPath);
        if (found !== null) return found;
      }
    }
    return null;
  }

  #findFolder(folder: string, path: string, isKnown: boolean): Found | null {
    const { index, autoindex, tryFiles } = this.#settings;
    const isSlashed = path.endsWith('/');
    // Without tryFiles there is nothing else to be had: an unslashed folder is one, whatever is in it.
    if (!isSlashed && (tryFiles === null || autoindex !== 'off')) {
      return isKnown || this.#isFolder(folder) ? 'unslashed' : null;
    }
    const found = findIndex(this.#root, folder, index);
    if (found === null) return autoindex !== 'off' && this.#isFolder(folder) ? { folder } : null;
    if (isSlashed) return found;
    closeSync(found.file.fd);
    return 'unslashed';
  }

  #isFolder(folder: string): boolean {
    const opened = this.#root.open(folder.slice(0, -1));
    if (opened === null) return false;
    closeSync(opened.fd);
    return opened.stats.isDirectory();
  }
}

const toFolder = (path: string): string => (path.endsWith('/') ? path : `${path}/`);

function createStandardSteps(cleanUrls: boolean): Step[] {
  const file: Step = { kind: 'file', toPath: (path) => path };
  const page: Step = { kind: 'file', toPath: (path) => (path.endsWith('/') ? '' : `${path}.html`) };
  const folder: Step = { kind: 'folder', toPath: toFolder };
  return cleanUrls ? [file, page, folder] : [file, folder];
}

function compileStep(text: string): Step {
  const evaluate = compilePathTemplate(text, (path) => path);
  if (!text.endsWith('/')) return { kind: 'file', toPath: evaluate };
  return {
    kind: 'folder',
    toPath: (path, exchange) => toFolder(evaluate(path, exchange).replace(/\/+$/, '')),
  };
}
