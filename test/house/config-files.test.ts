import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderSiteSchema } from '../../src/server/site-schema.ts';
import { replaceReference } from '../support/render-configuration.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { repositoryRoot } from './source-file.ts';

const folder = join(repositoryRoot, 'config');
const configFiles = readdirSync(folder).filter(
  (name) => name.endsWith('.json') && !name.endsWith('.schema.json'),
);

function check(file: string) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(repositoryRoot, 'bin/tsserve.js'), '-t', '-c', file],
    {
      encoding: 'utf8',
    },
  );
  return { status, stderr };
}

describe('files in config/', () => {
  test.each(configFiles)('%s passes tsserve -t', (name) => {
    expect(check(join(folder, name))).toMatchObject({ status: 0 });
  });

  test('with a planted mistake do not', () => {
    const file = join(createTempFolder({ 'site.json': '{ "lisen": 8080 }' }), 'site.json');
    expect(check(file).status).toBe(2);
  });

  test('all point editors to the schema', () => {
    for (const name of configFiles) {
      expect(readFileSync(join(folder, name), 'utf8')).toMatch(/"\$schema": "(\.\/)?site\.schema\.json"/);
    }
  });

  test('include the default site', () => {
    expect(configFiles).toContain('site.json');
  });
});

describe('what is generated from the shapes is what they say today (npm run schema)', () => {
  test('config/site.schema.json', () => {
    expect(readFileSync(join(folder, 'site.schema.json'), 'utf8')).toBe(renderSiteSchema());
  });

  test('the reference in docs/configuration.md', () => {
    const markdown = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
    expect(markdown).toBe(replaceReference(markdown, JSON.parse(renderSiteSchema())));
  });
});

test('every published folder is in the tarball, and nothing else', () => {
  const list = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const paths = (JSON.parse(list)[0].files as { path: string }[]).map(({ path }) => path);
  const stray = paths.filter(
    (path) =>
      !/^(bin\/tsserve\.js|dist\/.+\.(js|d\.ts)|dist\/third-party\.txt|config\/site\.schema\.json|package\.json|README\.md|LICENSE)$/.test(
        path,
      ),
  );
  expect(stray).toEqual([]);
  expect(paths).toContain('LICENSE');
  expect(paths).toContain('dist/third-party.txt');
});

test('packages that a build takes in have their licence beside it and an exact version, so that -V is right', () => {
  const notices = readFileSync(join(repositoryRoot, 'dist/third-party.txt'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const exact = Object.keys(dependencies).filter((name) => /^\d/.test(dependencies[name]));
  const inBuild = new Set<string>();
  for (const file of readdirSync(join(repositoryRoot, 'dist'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.js')) continue;
    const text = readFileSync(join(repositoryRoot, 'dist', file), 'utf8');
    for (const [, name] of text.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)/gm)) inBuild.add(name);
  }
  expect([...inBuild].sort()).toEqual(exact.sort());
  for (const name of exact) expect(notices).toMatch(new RegExp(`^${name}\n\n.*licen[sc]e`, 'im'));
});
