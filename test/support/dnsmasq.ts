// A real DNS server for tests: dnsmasq with a hosts file that can be changed while it runs.

import { Resolver } from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { type RunningProcess, startProcess } from './run-tsserve.ts';
import { createTempFolder } from './temp-folder.ts';
import { waitUntil } from './wait-until.ts';

/** A DNS server that can be stopped, and started again on the same port. */
export interface DnsServer {
  /** "127.0.0.1:PORT". */
  readonly address: string;
  /** Replaces all names: those of `*.test` that are not here do not exist. */
  setHosts(hosts: Record<string, readonly string[]>): void;
  /** Starts anew with these SRV records: "name,target,port,priority,weight". */
  restart(records?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts dnsmasq. Every answer holds for `ttlSeconds`, 1 by default. */
export async function startDnsmasq(
  program: string,
  hosts: Record<string, readonly string[]>,
  ttlSeconds = 1,
): Promise<DnsServer> {
  const port = await findFreePort();
  const file = join(createTempFolder(), 'hosts');
  let running: RunningProcess | null = null;
  const writeHosts = (next: Record<string, readonly string[]>) => {
    const lines = Object.entries(next).flatMap(([name, list]) =>
      list.map((address) => `${address} ${name}\n`),
    );
    writeFileSync(file, lines.join(''));
  };
  const stop = async () => {
    const ending = running;
    running = null;
    await ending?.stop();
  };
  const restart = async (records: readonly string[] = []) => {
    await stop();
    running = startProcess([
      ...[program, '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file', '--user=root'],
      ...['--no-resolv', '--no-hosts', `--addn-hosts=${file}`, '--local=/test/', '--cache-size=0'],
      ...[`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', `--local-ttl=${ttlSeconds}`],
      ...records.map((record) => `--srv-host=${record}`),
    ]);
    await waitUntil('dnsmasq answers', () => isAnswering(port));
  };
  writeHosts({ ...hosts, 'ready.test': ['127.0.0.1'] });
  await restart();
  return {
    address: `127.0.0.1:${port}`,
    setHosts: (next) => {
      writeHosts({ ...next, 'ready.test': ['127.0.0.1'] });
      running?.sendSignal('SIGHUP');
    },
    restart,
    stop,
  };
}

async function isAnswering(port: number): Promise<boolean> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver.resolve4('ready.test').then(
    () => true,
    () => false,
  );
}
