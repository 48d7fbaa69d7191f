// The examples of docs/cgi.md do what the document says, with real peers in place of the addresses in them.

import { readFileSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import { beforeAll, expect, test } from 'vitest';
import { startPhpFpm, startUwsgi } from '../support/cgi-peers.ts';
import { describeWithTool } from '../support/require-tool.ts';
import { repositoryRoot } from '../support/run-tsserve.ts';
import { type SiteConfig, type StartedServer, startServer } from '../support/start-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

const markdown = readFileSync(`${repositoryRoot}docs/cgi.md`, 'utf8');
const examples = [...markdown.matchAll(/^```jsonc\n([\s\S]*?)^```$/gm)].map(([, text]) => text);

/** Answers with the variables it was given. */
const application = `
import json

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]
`;
const script = '<?php echo json_encode($_SERVER);';

describeWithTool('php-fpm*', 'docs/cgi.md', (phpFpm) => {
  describeWithTool('uwsgi_python3', 'has examples', (uwsgi) => {
    let folder: string;
    const addresses: Record<string, string> = {};

    beforeAll(async () => {
      folder = createTempFolder({
        'index.php': script,
        'page.php': script,
        'style.css': 'p {}',
        'assets/a.txt': 'an asset',
        'photo.jpg': script,
      });
      addresses.fastcgi = (await startPhpFpm(phpFpm)).socket;
      addresses.uwsgi = (await startUwsgi(uwsgi, 'uwsgi', application)).socket;
      addresses.scgi = (await startUwsgi(uwsgi, 'scgi', application)).socket;
    });

    /** Starts an example with the addresses of the real peers, its folders being ours. */
    const start = (example: string): Promise<StartedServer> => {
      const text = example
        .replace(
          /"(fastcgi|uwsgi|scgi):\/\/[^"]*"/g,
          (_, protocol) => `"${protocol}://unix:${addresses[protocol]}"`,
        )
        .replaceAll('../public', folder)
        .replaceAll('/srv/app/public', folder);
      return startServer({ workers: 1, ...(parse(text) as SiteConfig) });
    };
    const read = async (server: StartedServer, path: string) => {
      const answer = await fetch(server.url + path);
      return answer.status === 200 ? answer.json() : answer.status;
    };

    test('of scripts', async () => {
      const server = await start(examples[0]);
      expect(await read(server, '/')).toMatchObject({ SCRIPT_NAME: '/index.php', DOCUMENT_ROOT: folder });
      const page = await read(server, '/page.php/with/more');
      expect(page).toMatchObject({ SCRIPT_NAME: '/page.php', PATH_INFO: '/with/more' });
      expect(await (await fetch(`${server.url}/style.css`)).text()).toBe('p {}');
      expect(await read(server, '/photo.jpg/x.php')).toBe(404);
    });

    test('of one entry', async () => {
      const server = await start(examples[1]);
      expect(await (await fetch(`${server.url}/assets/a.txt`)).text()).toBe('an asset');
      for (const path of ['/', '/users/5', '/page.php'])
        expect(await read(server, path)).toMatchObject({ SCRIPT_NAME: '/index.php', REQUEST_URI: path });
    });

    test('of a container', async () => {
      const variables = await read(await start(examples[2]), '/');
      expect(variables).toMatchObject({ APP_ENV: 'production', SITE: '127.0.0.1' });
      expect(variables).not.toHaveProperty('SERVER_SOFTWARE');
    });

    test('of applications', async () => {
      const server = await start(examples[3]);
      expect(await read(server, '/a/b')).toMatchObject({ SCRIPT_NAME: '', PATH_INFO: '/a/b' });
      expect(await read(server, '/old/a/b')).toMatchObject({ SCRIPT_NAME: '/old', PATH_INFO: '/a/b' });
    });

    test('and no others', () => {
      expect(examples).toHaveLength(4);
    });
  });
});
