// A port for a program that is told where to listen.

import { type AddressInfo, createServer } from 'node:net';

/** Ports that were given away lately: whoever got one may not listen on it yet. */
const given: number[] = [];
const maxGiven = 256;

/** A port that nothing on this machine listens on at this moment. Throws when there is none. */
export function findFreePort(): number {
  for (let tries = 0; tries < maxGiven; tries++) {
    const port = askSystem();
    if (given.includes(port)) continue;
    given.push(port);
    if (given.length > maxGiven) given.shift();
    return port;
  }
  throw new Error('no free port');
}

function askSystem(): number {
  // Without a host there is no name to look up, and Node binds before it returns.
  const server = createServer().on('error', () => {});
  server.listen({ port: 0, exclusive: true });
  const address = server.address() as AddressInfo | null;
  server.close();
  if (address === null) throw new Error('no free port');
  return address.port;
}
