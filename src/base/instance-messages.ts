// What a supervisor and a supervised program tell each other over their IPC channel. The program runs other people's
// code, which may write to the channel too: whatever comes from it is checked before it is believed.

/** From the supervisor. `start` comes once and first; `drain` means: finish what runs, then end. */
export type ToInstance =
  | {
      readonly type: 'start';
      /** Absolute path of the module to run. */
      readonly file: string;
      readonly interface: 'fetch' | 'node';
      /** Unix socket to listen on. */
      readonly socketPath: string;
      /** Which of its upstream's instances it is, from 1. */
      readonly instance: number;
      /** "api#2": what logs call it. */
      readonly name: string;
      /** How often to send a beat, in milliseconds; 0 for never. */
      readonly beatMs: number;
      /** Requests after which a beat is sent at once; 0 for none. */
      readonly maxRequests: number;
      /** Most requests that run at a time; 0 for any number. */
      readonly concurrency: number;
    }
  | { readonly type: 'drain'; readonly timeoutMs: number };

/**
 * From the program. `leaving`: it ends of its own accord and takes nothing new. `beat`: its event loop turns; `requests`
 * is how many it has had.
 */
export type FromInstance =
  | { readonly type: 'ready' }
  | { readonly type: 'leaving' }
  | { readonly type: 'beat'; readonly requests: number };

/** The registered symbol under which the globals of an instance have a function that tells what runs, for a debugger. */
export const runningSymbolName = 'tsserve.running';

/** The message, or null when it is none of ours. */
export function parseInstanceMessage(message: unknown): FromInstance | null {
  if (typeof message !== 'object' || message === null) return null;
  const { type, requests } = message as { type?: unknown; requests?: unknown };
  if (type === 'beat') return Number.isSafeInteger(requests) ? { type, requests: requests as number } : null;
  return type === 'ready' || type === 'leaving' ? { type } : null;
}
