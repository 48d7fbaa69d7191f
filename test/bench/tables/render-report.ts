// The whole report of a run: for the terminal, and as docs/performance.md.

import type { BenchResults } from '../bench-results.ts';
import { tabulateFigures, tabulateGrowth } from './growth-tables.ts';
import { tabulateCpuCosts, tabulatePeers, tabulateShares, tabulateTargets } from './kind-tables.ts';
import { legend } from './legend.ts';
import { renderMarkdown, renderPlain, type Table } from './table.ts';

interface Section {
  readonly title: string;
  readonly table: Table;
}

/** What a terminal shows at the end. */
export function renderReport(results: BenchResults): string {
  const { rounds, seconds, missing, problems } = results.run;
  const head = `Medians of ${rounds} rounds of ${seconds} s${missing.map((each) => `; without ${each}`).join('')}`;
  const tables = listSections(results).map(({ title, table }) => `${title}\n\n${renderPlain(table)}`);
  const words = legend.map((paragraph) => paragraph.replaceAll('**', ''));
  const failures = problems.map((problem) => `PROBLEM ${problem}`);
  return `${[head, ...tables, ...words, ...failures].join('\n\n')}\n`;
}

/** Where the document belongs: what was measured on another Node than the project's stands beside. */
export function nameDocument({ machine, run }: BenchResults): string {
  return run.isOtherNode ? `docs/performance-node-${readMajor(machine.node)}.md` : 'docs/performance.md';
}

/** docs/performance.md, or the same of another Node. */
export function renderDocument(results: BenchResults): string {
  const tables = listSections(results).map(({ title, table }) => `## ${title}\n\n${renderMarkdown(table)}`);
  return `${[
    results.run.isOtherNode ? `# Performance on Node ${readMajor(results.machine.node)}` : '# Performance',
    '<!-- Written by `npm run bench -- --write`. Changes by hand are lost. -->',
    'tsserve beside other servers, each on one core of the same machine, asked in turns by the same load generator.',
    ...tables,
    '## How to read this',
    ...legend,
    '## The machine',
    describeMachine(results),
    '## To see for yourself',
    describeReproduction(results),
  ].join('\n\n')}\n`;
}

function listSections(results: BenchResults): Section[] {
  const hasKinds = Object.keys(results.kinds).length > 0;
  const sections: { title: string; table: Table | null }[] = [
    { title: 'tsserve and nginx', table: hasKinds ? tabulateTargets(results) : null },
    { title: 'CPU time of applications (ratio to nginx)', table: tabulateCpuCosts(results) },
    {
      title: 'Everyone: requests a second (ratio to nginx)',
      table: hasKinds ? tabulatePeers(results, 'requestsPerSecond') : null,
    },
    {
      title: 'Everyone: requests per CPU second (ratio to nginx)',
      table: hasKinds ? tabulatePeers(results, 'requestsPerCpuSecond') : null,
    },
    { title: 'Core used', table: hasKinds ? tabulateShares(results) : null },
    { title: 'Cost of growth', table: tabulateGrowth(results) },
    { title: 'Start-up and memory', table: tabulateFigures(results) },
  ];
  return sections.filter((section): section is Section => section.table !== null);
}

function describeMachine({ machine, run }: BenchResults): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const rows = [
    ['processor', `${machine.cpu}, ${machine.cores} cores`],
    ['memory', `${machine.memoryGiB} GiB`],
    ['kernel', machine.kernel],
    ['Node', machine.node],
    ['measured', versions.join(', ')],
    ['left out', run.missing.length === 0 ? 'nothing' : run.missing.join('; ')],
    ['failed', run.problems.length === 0 ? 'nothing' : run.problems.join('; ').replaceAll('|', '/')],
    ['upstream of the proxied rows', run.upstream],
    ['date', run.at.slice(0, 10)],
    ['rounds', `${run.rounds} of ${run.seconds} s for each figure, after one second to warm up`],
  ];
  return renderMarkdown({ header: ['what', 'which'], rows }).replace('---:', '---');
}

/** "v24.1.0" is 24. */
function readMajor(version: string): string {
  return version.replace(/^v/, '').split('.')[0];
}

function describeReproduction({ run }: BenchResults): string {
  return [
    'On Linux with two cores at least, and Debian packages for what is measured:',
    '    apt-get install wrk nginx haproxy caddy gunicorn python3-flask',
    `    npm run bench -- --rounds ${run.rounds} --seconds ${run.seconds}${run.isOtherNode ? ' --node PATH' : ''} --write`,
    'Servers and applications run on the first core; load generator, upstream and the bench itself on the second. The configurations of all servers are in `test/bench/peers/`, the rows in `test/bench/kinds.ts`, `growth-items.ts` and `figures.ts`. `--quick` takes five minutes, `--only` names rows, `--peers` names servers, `--node PATH` has our server and the others on Node run on another Node, `--json FILE` keeps every sample.',
  ].join('\n\n');
}
