// The one shape in which every room reports an event of its own (not a request) to the error log.
// Where the lines go, and which levels are kept, is decided by whoever makes the Log (observe/).

/** Severity, in nginx's order: only `warn` and above say that somebody should look. */
export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error' | 'crit';

/**
 * Writes one event. `message` is a line without a trailing newline, or makes one: it is only called when the level is
 * kept. Never throws, never blocks.
 */
export type Log = (level: LogLevel, message: string | (() => string)) => void;
