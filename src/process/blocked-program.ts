// What a Node process does whose event loop does not turn: stopped through its inspector, which it opens at SIGUSR1 even
// then, and asked for its stack and for the requests that it has. Only JavaScript can be stopped, not a system call.

import { runningSymbolName } from '../base/instance-messages.ts';
import { type InspectorEvent, InspectorSession } from './inspector-session.ts';

/** What was found. */
export interface BlockedState {
  /** Innermost first: "spin (file:///app/api.ts:9:48)". */
  readonly stack: readonly string[];
  /** "GET /path, request 0123, for 30.0 s". */
  readonly requests: readonly string[];
}

/** Options of Node under which only who reads the standard error of a process can speak to its inspector. */
export const inspectorOptions: readonly string[] = [
  '--inspect-port=127.0.0.1:0',
  '--inspect-publish-uid=stderr',
];

const announcement = /^Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)$/;
const chatter =
  /^(For help, see: https:\/\/nodejs\.org\/|Debugger attached\.$|Debugger ending on |Waiting for the debugger to disconnect)/;

/** What a line of standard error says of the inspector: its URL, or nothing of use; null for any other line. */
export function parseInspectorLine(line: string): { readonly url: string | null } | null {
  const match = announcement.exec(line);
  if (match !== null) return { url: match[1] };
  return chatter.test(line) ? { url: null } : null;
}

const maxFrames = 30;

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string;
    readonly url: string;
    readonly location: {
      readonly scriptId: string;
      readonly lineNumber: number;
      readonly columnNumber: number;
    };
  }[];
}

/** Stops the process behind an inspector, looks, and lets it go. Rejects when nothing was found in time. */
export async function inspectBlocked(url: string, timeoutMs: number): Promise<BlockedState> {
  const urls = new Map<string, string>();
  let onPaused: (paused: Paused) => void = () => {};
  const paused = new Promise<Paused>((resolve) => {
    onPaused = resolve;
  });
  const onEvent = ({ method, params }: InspectorEvent): void => {
    if (method === 'Debugger.paused') onPaused(params as Paused);
    else if (method === 'Debugger.scriptParsed') {
      const script = params as { scriptId: string; url: string };
      urls.set(script.scriptId, script.url);
    }
  };
  const session = await InspectorSession.connect(url, timeoutMs, onEvent);
  const timer = setTimeout(() => session.close(), timeoutMs);
  try {
    await session.send('Debugger.enable');
    await session.send('Debugger.pause');
    const { callFrames } = await Promise.race([paused, rejectAfter(timeoutMs)]);
    const stack = callFrames.slice(0, maxFrames).map(({ functionName, url: named, location }) => {
      const where = named === '' ? (urls.get(location.scriptId) ?? '') : named;
      const place = `${where}:${location.lineNumber + 1}:${location.columnNumber + 1}`;
      return functionName === '' ? place : `${functionName} (${place})`;
    });
    return { stack, requests: await readRequests(session) };
  } finally {
    clearTimeout(timer);
    session.close();
  }
}

async function readRequests(session: InspectorSession): Promise<string[]> {
  const expression = `globalThis[Symbol.for(${JSON.stringify(runningSymbolName)})]()`;
  const answer = (await session.send('Runtime.evaluate', { expression, returnByValue: true })) as {
    result?: { value?: unknown };
  };
  const value = answer.result?.value;
  return typeof value === 'string' && value !== '' ? value.split('\n') : [];
}

function rejectAfter(timeoutMs: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('no JavaScript runs in it')), timeoutMs).unref();
  });
}
