// nginx, as its manual advises for speed on one core; also the fastest upstream to put behind the others.

import { createProgramPeer, type ProgramPeer } from './peer.ts';

/** What both uses share. */
const preamble = `
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
error_log stderr crit;
events { worker_connections 16384; }
`;

const httpPreamble = `
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 1s;
  types { text/plain txt; }
  default_type application/octet-stream;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
`;

const nginx: ProgramPeer = {
  name: 'nginx',
  abilities: ['files', 'proxy', 'app', 'program'],
  versionArguments: ['-v'],
  listArguments: (folder, configFile) => ['-p', folder, '-e', 'stderr', '-c', configFile],
  renderConfig: (port, { root, upstreamPort, application }) => `${preamble}
http {${httpPreamble}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_buffers 32 8k;
  client_body_buffer_size 256k;
  proxy_max_temp_file_size 0;
  ${upstreamPort > 0 ? renderUpstream('tiny', `127.0.0.1:${upstreamPort}`) : ''}
  ${application === null ? '' : renderUpstream('app', `unix:${application.socketPath}`)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    root ${root};
    ${upstreamPort > 0 ? 'location /proxied/ { proxy_pass http://tiny; }' : ''}
    ${application === null ? '' : `location /${application.name}/ { proxy_pass http://app; }`}
  }
}
`,
};

/** nginx as a server. */
export const nginxPeer = createProgramPeer(nginx);

/** Arguments that make nginx serve a config. */
export const listNginxArguments = nginx.listArguments;

/** The config of an nginx that is the upstream: /proxied/small and /proxied/100k.bin. */
export function renderUpstreamConfig(port: number, root: string, smallBody: string): string {
  return `${preamble}
http {${httpPreamble}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /proxied/small { return 200 ${JSON.stringify(smallBody)}; }
    location /proxied/ { alias ${root}/; }
  }
}
`;
}

function renderUpstream(name: string, address: string): string {
  return `upstream ${name} {
    server ${address};
    keepalive 64;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }`;
}
