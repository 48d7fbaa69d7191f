// npm run fuzz -- [--seconds N] [--cases N] [--seed N]: our HTTP/1.1 parser against Node's own. Exits 1 with findings.

import { parseArgs } from 'node:util';
import { runFuzz } from './run-fuzz.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, cases: { type: 'string' }, seed: { type: 'string' } },
});
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const cases = values.cases === undefined ? undefined : Number(values.cases);
const bounds = { seed, seconds: seconds ?? (cases === undefined ? 60 : undefined), cases };

console.log(`seed ${seed}`);
const startedAtMs = performance.now();
let shownAtMs = startedAtMs;
const result = await runFuzz(bounds, (done) => {
  if (performance.now() - shownAtMs < 10_000) return;
  shownAtMs = performance.now();
  console.log(`${done} cases after ${Math.round((shownAtMs - startedAtMs) / 1000)} s`);
});
for (const { problem, parts } of result.findings) {
  console.log(`\n${problem}\n${parts.map((part) => JSON.stringify(part)).join('\n')}`);
}
const elapsed = ((performance.now() - startedAtMs) / 1000).toFixed(0);
console.log(
  `\n${result.cases} cases in ${elapsed} s, ${result.taken} requests taken, ${result.findings.length} findings`,
);
process.exit(result.findings.length === 0 ? 0 : 1);
