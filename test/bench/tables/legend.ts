// How to read the tables, in words that hold for every run.

/** Paragraphs of Markdown that need no figures. */
export const legend: readonly string[] = [
  '**req/s**: requests a second, the median over the rounds. Load generator and upstream share one core, and that core has its own limit: where a server does not use the whole of its core, req/s shows what the load generator could do, not what the server can.',
  '**req/CPU s**: requests served for each second of CPU time, user and system, that all processes of the server used (master, workers and application together). It is what one core could serve if nothing else were in the way, and so the fairer measure of the two; where a server fills its core, both say the same.',
  '**ratio**: to nginx in the tables of work, to the step with a ratio of 1.00 in the table of growth; above 1 is better. **to reach** is held against the ratio of req/CPU s.',
  "**best**: the same ratio from each server's best round, the one with the least CPU time a request. Other load on the machine only ever adds CPU time: where **ratio** and **best** differ, something else ran, and **best** is the nearer to what a request costs.",
  'In the table of growth nginx is the control: what falls for both is the price of the kernel and the load generator.',
  '**spread**: from the lowest to the highest round of tsserve, in hundredths of its median. Differences smaller than it mean nothing.',
  "**Core used** is the share of its core that a server used. In the rows of applications, nginx, HAProxy and Caddy stand in front of one on a unix socket, on node:http, Hono's own server or gunicorn, whose CPU time counts as theirs; node:http is such an application alone. The CPU time of tsserve is that of master, front worker and instance. Before anything is timed, each answer is checked: status, framing, and the body to the byte.",
];
