// What `npm run build` makes of src: few files in dist, for each file that Node loads costs a start about a millisecond.
// The packages that every start needs are taken in, with their licences. Types are left to tsc.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'rolldown';

const root = import.meta.dirname;

/** What is started or imported by its path. Other code lies in dist/shared: no deeper than these, for relative URLs. */
const entries = [
  'index',
  'gateway',
  'cli/main',
  'process/worker-main',
  'app-host/main',
  'app-host/validate-main',
  'app-host/register-typescript',
  'app-host/typescript-hooks',
];

/** Packages that are taken in, by the file of their licence. Their versions in package.json are exact, for `tsserve -V`. */
const included: Readonly<Record<string, string>> = {
  commander: 'LICENSE',
  'jsonc-parser': 'LICENSE.md',
  zod: 'LICENSE',
};

/** The licences of what is taken in. */
const licences: Plugin = {
  name: 'licences',
  generateBundle() {
    const texts = Object.entries(included).map(([name, file]) => {
      const licence = readFileSync(join(root, 'node_modules', name, file), 'utf8').trim();
      return `${name}\n\n${licence}\n`;
    });
    this.emitFile({ type: 'asset', fileName: 'third-party.txt', source: texts.join('\n\n') });
  },
};

export default defineConfig({
  cwd: root,
  input: Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: (id) => /^[@a-z]/.test(id) && !Object.hasOwn(included, id),
  resolve: { mainFields: ['module', 'main'] },
  plugins: [licences],
  output: {
    dir: 'dist',
    chunkFileNames: 'shared/[name].js',
    minifyInternalExports: false,
  },
});
