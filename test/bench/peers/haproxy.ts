// HAProxy: one thread, connections to servers shared by all requests, no logs. It serves no files.

import { createProgramPeer } from './peer.ts';

/** HAProxy. */
export const haproxyPeer = createProgramPeer({
  name: 'haproxy',
  abilities: ['proxy', 'app', 'program'],
  versionArguments: ['-v'],
  listArguments: (_, configFile) => ['-db', '-f', configFile],
  renderConfig: (port, { upstreamPort, application }) => `
global
  nbthread 1
  maxconn 2048

defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h

frontend bench
  bind 127.0.0.1:${port}
  ${application === null ? '' : `use_backend app if { path_beg /${application.name}/ }`}
  default_backend tiny

backend tiny
  server tiny 127.0.0.1:${upstreamPort}
${application === null ? '' : `\nbackend app\n  server app unix@${application.socketPath}\n`}`,
});
