// Reads the corpus: each case is a file of bytes with a sidecar of the same name that says what must happen.
// A sidecar with a key that is not known here, or one without its bytes, fails the run.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { decodeSteps, type Step } from './decode-bytes.ts';

/** What every sidecar says. */
const commonKeys = {
  /** The rule that the case breaks or keeps, with its source. */
  rule: z.string().min(10),
  /** Promises that the case stands for: "V1", or several with spaces between. */
  promise: z
    .string()
    .regex(/^[VT]\d+(?: [VT]\d+)*$/)
    .optional(),
  /** The code that the error log must name; without one it may name none. */
  log: z.string().startsWith('TSS_').optional(),
};

/** Field values by name: the value, or null for a field that may not be there. */
const fieldValues = z.record(z.string(), z.string().nullable());

const requestSidecar = z.strictObject({
  ...commonKeys,
  /** Status of every reply, interim ones included. */
  replies: z.array(z.int()),
  /** kept: the next request gets its own answer. closed: it gets none. waiting: the server waits for more. */
  connection: z.enum(['kept', 'closed', 'waiting']),
  /** Methods of the requests, when not all are GET-like. */
  methods: z.array(z.string()).optional(),
  /** By reply. */
  fields: z.array(fieldValues).optional(),
  /** By reply, in the notation of the corpus; null for any. */
  bodies: z.array(z.string().nullable()).optional(),
  /** Requests that the upstream must have seen, heads line by line: these and no other. Default none. */
  upstream: z
    .array(z.strictObject({ head: z.array(z.string()), body: z.string().prefault('') }))
    .prefault([]),
  /** Request lines that the upstream may have seen of requests that were never completed. Default none. */
  cut: z.array(z.string()).prefault([]),
});

const responseSidecar = z.strictObject({
  ...commonKeys,
  /** The client's request. */
  method: z.string().prefault('GET'),
  version: z.enum(['1.0', '1.1']).prefault('1.1'),
  /** What the upstream does behind its bytes. */
  afterwards: z.enum(['open', 'close', 'reset']).prefault('open'),
  /** Status of the final reply. */
  status: z.int(),
  /** Statuses of interim replies that the client sees. */
  interim: z.array(z.int()).prefault([]),
  fields: fieldValues.prefault({}),
  /** In the notation of the corpus; absent for any. */
  body: z.string().optional(),
  /** The client must be able to see that the reply is not complete; `status` then only holds if a head comes. */
  truncated: z.boolean().prefault(false),
  /** Whether the connection to the upstream carries the next request. */
  upstreamConnection: z.enum(['reused', 'closed']),
});

/** What must happen when a request is sent. */
export type RequestSidecar = z.output<typeof requestSidecar>;
/** What must happen when an upstream sends a response. */
export type ResponseSidecar = z.output<typeof responseSidecar>;

/** A case: "section/name", its conversation, and what must come of it. */
export interface WireCase<Sidecar> {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly sidecar: Sidecar;
}

/** All cases of requests. */
export function readRequestCases(): WireCase<RequestSidecar>[] {
  return readCases('requests', '.req', requestSidecar);
}

/** All cases of responses. */
export function readResponseCases(): WireCase<ResponseSidecar>[] {
  return readCases('responses', '.res', responseSidecar);
}

/** The title of a test: promises first, as everywhere. */
export function titleCase({
  name,
  sidecar,
}: WireCase<{ promise?: string | undefined; rule: string }>): string {
  return `${sidecar.promise === undefined ? '' : `${sidecar.promise}: `}${name} (${sidecar.rule})`;
}

/** Bytes of all steps. */
export function joinSteps(steps: readonly Step[]): Buffer {
  return Buffer.concat(steps.map((step) => (step.kind === 'bytes' ? step.bytes : Buffer.alloc(0))));
}

function readCases<T>(folder: string, extension: string, shape: z.ZodType<T>): WireCase<T>[] {
  const root = join(import.meta.dirname, folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  const names = files
    .filter((file) => file.endsWith(extension))
    .map((file) => file.slice(0, -extension.length));
  const orphans = files.filter((file) => file.endsWith('.json') && !names.includes(file.slice(0, -5)));
  if (orphans.length > 0) throw new Error(`sidecars without a case: ${orphans.join(', ')}`);
  return names.map((name) => {
    const sidecar = shape.safeParse(JSON.parse(readFileSync(join(root, `${name}.json`), 'utf8')));
    if (!sidecar.success) throw new Error(`${folder}/${name}.json: ${z.prettifyError(sidecar.error)}`);
    return {
      name,
      steps: decodeSteps(readFileSync(join(root, name + extension), 'latin1')),
      sidecar: sidecar.data,
    };
  });
}
