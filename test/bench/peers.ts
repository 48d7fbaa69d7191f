// The servers that are measured side by side. Each is a row with a way to start it, pinned to the first core.

import { join } from 'node:path';
import { findTool } from '../support/find-tool.ts';
import { findFreePort } from '../support/free-port.ts';
import { repositoryRoot, startProcess } from '../support/run-tsserve.ts';
import { startServer, waitUntilListening } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';

/** What every peer serves. */
export interface BenchSite {
  /** Folder with 1k.txt in it. */
  readonly root: string;
  /** Port of the upstream behind /proxied/. */
  readonly upstreamPort: number;
}

/** One server. */
export interface BenchPeer {
  readonly name: string;
  /** Why it cannot take part here, or null. */
  findObstacle(): string | null;
  /** Starts it and gives its port. It ends with the bench. */
  start(site: BenchSite): Promise<number>;
}

const serverCore = ['taskset', '-c', '0'];
/** The upstream shares the second core with the load: it must not compete with what is measured. */
const loadCore = ['taskset', '-c', '1'];
const typescriptNode = [
  process.execPath,
  '--import',
  join(repositoryRoot, 'dist/app-host/register-typescript.js'),
];

/** Everything that is measured; the first is ours. */
export const benchPeers: readonly BenchPeer[] = [
  { name: 'tsserve', findObstacle: () => null, start: startOurs },
  { name: 'node:http', findObstacle: () => null, start: startNodeHttp },
  {
    name: 'nginx',
    findObstacle: () => (findTool('nginx') === null ? 'nginx is not installed' : null),
    start: startNginx,
  },
];

async function startOurs({ root, upstreamPort }: BenchSite): Promise<number> {
  const server = await startServer(
    {
      workers: 1,
      upstreams: { tiny: { servers: [`http://127.0.0.1:${upstreamPort}`] } },
      routes: [
        { path: '/proxied/', proxy: 'tiny' },
        { path: '/', static: { root } },
      ],
    },
    { before: serverCore },
  );
  return server.port;
}

async function startNodeHttp({ root, upstreamPort }: BenchSite): Promise<number> {
  const port = await findFreePort();
  const script = join(repositoryRoot, 'test/bench/node-http-peer.ts');
  const running = startProcess([...typescriptNode, script, String(port), root, String(upstreamPort)], {
    before: serverCore,
  });
  await waitUntilListening(running, port);
  return port;
}

async function startNginx({ root, upstreamPort }: BenchSite): Promise<number> {
  const port = await findFreePort();
  const folder = createTempFolder();
  writeFiles(folder, { 'nginx.conf': renderNginxConfig(port, root, upstreamPort) });
  const nginx = findTool('nginx') ?? 'nginx';
  const commandLine = [nginx, '-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  const running = startProcess(commandLine, { before: serverCore });
  await waitUntilListening(running, port);
  return port;
}

function renderNginxConfig(port: number, root: string, upstreamPort: number): string {
  return `
daemon off;
worker_processes 1;
pid nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  open_file_cache max=100 inactive=60s;
  open_file_cache_valid 1s;
  types { text/plain txt; }
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream tiny {
    server 127.0.0.1:${upstreamPort};
    keepalive 64;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location /proxied/ {
      proxy_pass http://tiny;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}

/** Starts the upstream that all peers proxy to, and gives its port. */
export async function startTinyUpstream(): Promise<number> {
  const port = await findFreePort();
  const script = join(repositoryRoot, 'test/bench/tiny-upstream.ts');
  const running = startProcess([...typescriptNode, script, String(port)], { before: loadCore });
  await waitUntilListening(running, port);
  return port;
}
