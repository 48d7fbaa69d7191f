// The command line of the bench.

import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { benchFigures } from './figures.ts';
import { growthItems } from './growth-items.ts';
import { benchKinds } from './kinds.ts';
import { benchPeers } from './peers/bench-peers.ts';

/** What to measure, how long, and where to put it. */
export interface BenchOptions {
  /** Default 5, quick 2. */
  readonly rounds: number;
  /** Seconds of one run of the load generator. Default 2, quick 1. */
  readonly seconds: number;
  readonly quick: boolean;
  /** Names of kinds, growth items and figures. */
  readonly rows: readonly string[];
  /** Names of peers. */
  readonly peers: readonly string[];
  /** A file for every sample, or null. */
  readonly json: string | null;
  /** A folder for CPU profiles of our processes while they do the kinds of work, or null. */
  readonly profile: string | null;
  /** Path of the Node that our server, node:http and the applications on Node run on. Default: the one of the bench. */
  readonly node: string;
  /** Writes the results into docs/. */
  readonly write: boolean;
}

/** What `--help` prints. */
export const benchUsage = `npm run bench -- [--rounds N] [--seconds N] [--quick] [--only ROWS] [--peers NAMES] [--json FILE] [--profile DIR] [--node PATH] [--write]
rows:  ${listRows().join(', ')}
peers: ${listPeers().join(', ')}
`;

/** Reads the arguments; null asks for help. Throws, with a sentence for people, when they make no sense. */
export function parseBenchArguments(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
      node: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { quick, write } = values;
  const isPart =
    values.only !== undefined || values.peers !== undefined || quick || values.profile !== undefined;
  if (write && isPart)
    throw new Error('--write wants the whole run: not with --quick, --only, --peers or --profile');
  return {
    rounds: parseCount('rounds', values.rounds, quick ? 2 : 5),
    seconds: parseCount('seconds', values.seconds, quick ? 1 : 2),
    quick,
    rows: parseNames(values.only, listRows()),
    peers: parseNames(values.peers, listPeers()),
    json: values.json ?? null,
    profile: values.profile === undefined ? null : resolve(values.profile),
    node: values.node === undefined ? process.execPath : parseProgram('node', values.node),
    write,
  };
}

function parseProgram(name: string, text: string): string {
  const path = resolve(text);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new Error(`--${name} wants the path of a program, not "${text}"`);
  }
  return path;
}

function parseCount(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`--${name} wants a whole number from 1, not "${text}"`);
  return Number(text);
}

function parseNames(text: string | undefined, known: readonly string[]): string[] {
  if (text === undefined) return [...known];
  const names = text.split(',');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${known.join(', ')}`);
  return known.filter((name) => names.includes(name));
}

function listRows(): string[] {
  return [...benchKinds, ...growthItems, ...benchFigures].map((row) => row.name);
}

function listPeers(): string[] {
  return benchPeers.map((peer) => peer.name);
}
