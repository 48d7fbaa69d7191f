// The documents say what is so: their config examples pass, their links lead somewhere, their lists are complete.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variableNames } from '../../src/message/variables.ts';
import { parseSite } from '../../src/server/read-site.ts';
import { createAuthority } from '../support/certificates.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { repositoryRoot } from './source-file.ts';

const documents = [
  ...readdirSync(repositoryRoot).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(repositoryRoot, 'docs')).map((name) => `docs/${name}`),
];
const read = (document: string) => readFileSync(join(repositoryRoot, document), 'utf8');

/** Config examples: blocks of jsonc that are a whole site. */
function listExamples(markdown: string): string[] {
  return [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);
}

/** Targets of links to files of the repository, without those that do not exist. */
function findDeadLinks(markdown: string, document: string): string[] {
  return [...markdown.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)[^)]*\)/g)]
    .map(([, target]) => target)
    .filter((target) => !existsSync(join(repositoryRoot, dirname(document), target)));
}

/** What examples with certificates name. */
function createCertificateFiles(): Record<string, Buffer> {
  const authority = createAuthority();
  const { cert, key } = authority.issue('example');
  const paths = { 'ca.pem': authority.ca, 'client.pem': cert, 'client.key': key };
  return Object.fromEntries(
    Object.entries(paths).map(([name, path]) => [`config/tls/${name}`, readFileSync(path)]),
  );
}

const certificateFiles = createCertificateFiles();

describe.each(documents)('%s', (document) => {
  test('has links that lead to files', () => {
    expect(findDeadLinks(read(document), document)).toEqual([]);
  });

  test('has config examples that pass the check', () => {
    const folder = createTempFolder({
      'public/index.html': '',
      'config/apps/api.ts': '',
      'config/hello.ts': '',
      ...certificateFiles,
    });
    for (const example of listExamples(read(document))) {
      parseSite(example, join(folder, 'config/site.json'));
    }
  });
});

test('README.md and docs/configuration.md have examples', () => {
  expect(listExamples(read('README.md')).length).toBeGreaterThan(1);
  expect(listExamples(read('docs/configuration.md')).length).toBeGreaterThan(0);
});

test('the example of README.md is config/site.json without its comments', () => {
  const withoutComments = read('config/site.json').replace(/^ *\/\/.*\n/gm, '');
  const site = JSON.parse(withoutComments);
  expect(JSON.parse(listExamples(read('README.md'))[0])).toEqual(site);
});

test('docs/configuration.md names every variable', () => {
  const section = read('docs/configuration.md').split('## Variables')[1].split('\n## ')[0];
  const list = section.slice(section.indexOf('\n\n`$args'));
  const named = [...list.matchAll(/`\$([a-z0-9_]+?_?)(?:NAME)?`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual([...variableNames].sort());
});

describe('a planted violation is found', () => {
  test('in a link', () => {
    expect(findDeadLinks('[a](none.md) [b](README.md#x) [c](https://a.b/)', 'README.md')).toEqual([
      'none.md',
    ]);
  });

  test('in an example', () => {
    const [example] = listExamples('```jsonc\n{ "lisen": 1 }\n```\n');
    expect(() => parseSite(example, '/nowhere/site.json')).toThrow();
  });
});
