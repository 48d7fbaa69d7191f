// The settings of upstreams whose processes are started and watched here: an application, or any program that speaks
// HTTP.

import { z } from 'zod';
import { addProblem, type ProblemSink } from '../config/shape/add-problem.ts';
import { duration, positiveDuration } from '../config/shape/duration.ts';
import { existingDirectory, existingFile, filePath } from '../config/shape/file-path.ts';
import { regexText } from '../config/shape/regex-text.ts';
import { size } from '../config/shape/size.ts';
import { suggestName } from '../config/suggest-name.ts';
import { balanceKey } from './balance-shape.ts';
import { forwardingKeys } from './forwarding-shape.ts';
import { systemGroup, systemUser } from './system-account-shape.ts';

const probeShape = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^\s]*$/, 'a path begins with "/" and has no spaces')
    .describe('What to ask for.'),
  status: z
    .int()
    .min(200)
    .max(599)
    .optional()
    .describe('The status that says it is ready. Default: any from 200 to 399.'),
});

const lineShape = z.strictObject({
  line: regexText().describe('A regular expression for a line of its output.'),
});

function hasNoNul(text: string): boolean {
  return !text.includes('\0');
}

const smallestHeap = 32 * 1024 ** 2;
const mib = 1024 ** 2;

/** What an application and a program have in common. */
const supervisionKeys = {
  instances: z.int().min(1).max(1024).prefault(1).describe('Processes that run it. Default 1.'),
  env: z
    .record(
      z.string().regex(/^[^=\0]+$/, 'the name of a variable holds no "=" and no NUL character'),
      z.string().refine(hasNoNul, 'a variable cannot hold a NUL character'),
    )
    .prefault({})
    .describe('Variables added to the environment of its processes.'),
  cwd: existingDirectory()
    .prefault('.')
    .describe('Its working directory. Default: the folder of the config file.'),
  user: systemUser()
    .optional()
    .describe('The user it runs as, by name or number; only root can say so. Default: the user of tsserve.'),
  group: systemGroup().optional().describe('The group it runs as. Default: that of "user".'),
  umask: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'three octal digits, such as "027"')
    .transform((text) => Number.parseInt(text, 8))
    .optional()
    .describe('Rights that files it makes do not get, such as "027". Default: as tsserve.'),
  startTimeout: positive(
    '30s',
    'How long it may take to be ready; then it is ended, which counts as a crash.',
  ),
  drainTimeout: duration()
    .prefault('30s')
    .describe('How long requests may go on when it is to end; then it is killed. Default "30s".'),
  maxMemory: size()
    .prefault(0)
    .describe(
      'Resident memory of a process and those it started at which it is replaced by a fresh one; 0 for any ' +
        'amount. Default 0.',
    ),
  concurrency: z
    .int()
    .min(0)
    .prefault(0)
    .describe('Most requests that run in one instance at a time; 0 for any number. Default 0.'),
  queue: z
    .int()
    .min(0)
    .max(65_536)
    .prefault(1024)
    .describe(
      'Requests that wait, in each front worker, for an instance with room or one that is ready, at most for ' +
        '"timeouts.connect"; more are answered 503. Default 1024.',
    ),
  watch: z
    .array(filePath())
    .optional()
    .describe('Files and folders that --watch looks at. Default: the folder of "app", else "cwd".'),
  balance: balanceKey('least_conn'),
  ...forwardingKeys,
};

/** An upstream that is an application run here. */
export const appShape = z.strictObject({
  app: existingFile().describe('A gateway function: the module that answers requests, run by tsserve.'),
  interface: z
    .enum(['fetch', 'node'])
    .prefault('fetch')
    .describe('"fetch": (request) => response; "node": (req, res), as Express has it. Default "fetch".'),
  ready: probeShape
    .optional()
    .describe(
      'A request that must succeed before an instance takes others. Default: none, loading is enough.',
    ),
  hangTimeout: duration()
    .prefault('30s')
    .describe(
      'How long its event loop may be blocked before the instance is killed and replaced; 0 for ever. Default "30s".',
    ),
  maxRequests: z
    .int()
    .min(0)
    .prefault(0)
    .describe(
      'Requests after which an instance is replaced by a fresh one, up to 10 % earlier so that not all are at ' +
        'once; 0 for any number. Default 0.',
    ),
  heap: size()
    .refine((bytes) => bytes >= smallestHeap, 'a heap has at least "32m"')
    .transform((bytes) => Math.floor(bytes / mib))
    .optional()
    .describe('The most memory for JavaScript objects, such as "512m". Default: what Node chooses.'),
  ...supervisionKeys,
});

/** An upstream that is any program that speaks HTTP, run here. */
export const commandShape = z
  .strictObject({
    command: z
      .array(z.string().refine(hasNoNul, 'an argument cannot hold a NUL character'))
      .min(1)
      .describe(
        'A program and its arguments; no shell sees them. "{socket}" becomes the unix socket or "{port}" the port ' +
          'of 127.0.0.1 that it must listen on, "{instance}" its number; so they do in "env".',
      ),
    ready: z
      .union([probeShape, lineShape])
      .optional()
      .describe('What says that it is ready. Default: that it accepts connections.'),
    ...supervisionKeys,
  })
  .superRefine(({ command, env }, context) => checkPlaceholders(command, env, context));

const placeholders = ['socket', 'port', 'instance'];

function checkPlaceholders(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  context: ProblemSink,
): void {
  const texts = [...command, ...Object.values(env)];
  const used = new Set(texts.flatMap((text) => [...text.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => name)));
  if (used.has('socket') && used.has('port')) {
    addProblem(context, 'a program listens on "{socket}" or on "{port}", not on both', 'use one', [
      'command',
    ]);
  } else if (!used.has('socket') && !used.has('port')) {
    addProblem(context, 'nothing tells the program where to listen', suggestPlaceholder(used), ['command']);
  }
}

function suggestPlaceholder(used: ReadonlySet<string>): string {
  for (const name of used) {
    const near = placeholders.includes(name) ? null : suggestName(name, placeholders);
    if (near !== null) return `did you mean "{${near}}" for "{${name}}"?`;
  }
  return 'use "{socket}" or "{port}" in "command" or "env", as its documentation says';
}

function positive(standard: string, meaning: string) {
  return positiveDuration().prefault(standard).describe(`${meaning} Default "${standard}".`);
}

/** A checked upstream that is an application run here. */
export type AppSettings = z.output<typeof appShape>;
/** A checked upstream that is a program run here. */
export type CommandSettings = z.output<typeof commandShape>;
