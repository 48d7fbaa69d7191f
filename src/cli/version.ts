// What version this is, and of what it is made.

import { readFileSync } from 'node:fs';

interface PackageFile {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = new URL('../../', import.meta.url);

/** "tsserve/1.2.3". */
export function formatVersion(): string {
  return `tsserve/${readPackage('package.json').version}`;
}

/** The version with that of Node and of every dependency, one per line. */
export function formatBuildInfo(): string {
  const { dependencies } = readPackage('package.json');
  const lines = [
    `tsserve version: ${formatVersion()}`,
    `node: ${process.version} (V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl})`,
    `platform: ${process.platform} ${process.arch}`,
    ...Object.keys(dependencies).map((name) => `${name}: ${readDependencyVersion(name)}`),
  ];
  return lines.join('\n');
}

function readPackage(path: string): PackageFile {
  return JSON.parse(readFileSync(new URL(path, root), 'utf8')) as PackageFile;
}

/** Installed as a package, our dependencies lie beside us. */
function readDependencyVersion(name: string): string {
  for (const folder of ['node_modules/', '../']) {
    try {
      return readPackage(`${folder}${name}/package.json`).version;
    } catch {
      // Not there: the next place.
    }
  }
  return 'unknown';
}
