// Medians, ratios and the table.

/** Requests per second of each round, by kind and peer. */
export type Measurements = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** The middle value; of an even number the mean of the two in the middle. */
export function findMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The medians of each kind, with the first peer's ratio to each of the others, as a table of text. */
export function renderTable(measurements: Measurements, peers: readonly string[]): string {
  const [ours, ...others] = peers;
  const header = ['requests/s', ...peers, ...others.map((peer) => `${ours} / ${peer}`)];
  const rows = Object.entries(measurements).map(([kind, byPeer]) => {
    const median = (peer: string) => findMedian(byPeer[peer]);
    return [
      kind,
      ...peers.map((peer) => String(Math.round(median(peer)))),
      ...others.map((peer) => (median(ours) / median(peer)).toFixed(2)),
    ];
  });
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column].length)));
  const renderRow = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
      .join('  ');
  return [header, ...rows].map(renderRow).join('\n');
}
