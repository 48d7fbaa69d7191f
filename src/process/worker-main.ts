// The program of a front worker. What it does is left to run-worker.ts: loading that takes its time, and a signal that
// goes to every process of a terminal or of a group may come in it.

process.title = 'tsserve: worker';

// When to end is the master's decision; and at SIGUSR1 Node would open a debugger.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});

await import('./run-worker.ts');
