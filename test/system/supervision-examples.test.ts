// Every example of docs/applications.md that is a program: run as it stands there, and asked.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { startServer } from '../support/start-server.ts';

const markdown = readFileSync(`${repositoryRoot}docs/applications.md`, 'utf8');
/** Text by name: the first line of each example is a comment with the name of its file. */
const examples = [...markdown.matchAll(/^```\w+\n((?:<\?php )?(?:\/\/|#) (\S+)\n[\s\S]*?)^```$/gm)].map(
  ([, text, name]) => ({ name, text }),
);
const files = Object.fromEntries(
  examples.filter(({ name }) => !name.endsWith('.json')).map(({ name, text }) => [name, text]),
);
const sites = new Map(
  examples
    .filter(({ name, text }) => name.endsWith('.json') && text.includes('"command"'))
    .map(({ name, text }) => [
      name,
      JSON.parse(text.replace(/^\/\/.*\n/, '')) as { upstreams: { site: object } },
    ]),
);

it('are all here', () => {
  expect([...sites.keys()]).toEqual(['flask.json', 'asgi.json', 'php.json', 'node.json']);
});

it.each([
  ['flask.json', 'hello from Flask\n'],
  ['asgi.json', 'hello from ASGI\n'],
  ['php.json', 'hello from PHP\n'],
  ['node.json', 'hello from Node\n'],
])('%s answers', async (name, answer) => {
  const site = sites.get(name);
  if (site === undefined) throw new Error(`no example ${name}`);
  // A machine that is busy with other tests may take longer than a client would like to wait.
  const upstreams = { site: { ...site.upstreams.site, timeouts: { connect: '20s' } } };
  const { listen: _, ...rest } = { listen: 0, ...site };
  const server = await startServer({ ...rest, workers: 1, upstreams }, { files });
  const response = await fetch(server.url);
  expect(`${response.status} ${await response.text()}`).toBe(`200 ${answer}`);
});
