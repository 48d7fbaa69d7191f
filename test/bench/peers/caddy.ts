// Caddy: no logs, no admin endpoint, HTTP/1.1 alone. Go uses as many processors as it is pinned to.

import { createProgramPeer } from './peer.ts';

/** Caddy. */
export const caddyPeer = createProgramPeer({
  name: 'caddy',
  abilities: ['files', 'proxy', 'app', 'program'],
  versionArguments: ['version'],
  listArguments: (_, configFile) => ['run', '--adapter', 'caddyfile', '--config', configFile],
  renderConfig: (port, { root, upstreamPort, application }) => `{
  admin off
  auto_https off
  log {
    output discard
  }
  servers {
    protocols h1
  }
}

http://127.0.0.1:${port} {
  bind 127.0.0.1
  root * ${root}
  ${upstreamPort > 0 ? renderProxy('/proxied/*', `127.0.0.1:${upstreamPort}`) : ''}
  ${application === null ? '' : renderProxy(`/${application.name}/*`, `unix/${application.socketPath}`)}
  file_server
}
`,
});

function renderProxy(path: string, address: string): string {
  return `reverse_proxy ${path} ${address} {
    transport http {
      keepalive_idle_conns_per_host 64
    }
  }`;
}
