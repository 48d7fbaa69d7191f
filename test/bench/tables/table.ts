// A table of text cells, for a terminal or as Markdown.

/** A table. The first column is text, the others are figures. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Columns in line, two spaces apart. */
export function renderPlain({ header, rows }: Table): string {
  const widths = findWidths([header, ...rows]);
  return [header, ...rows].map((row) => alignRow(row, widths).join('  ').trimEnd()).join('\n');
}

/** The same in Markdown. */
export function renderMarkdown({ header, rows }: Table): string {
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [header, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** A number as people read it: whole with commas from 100 on, else with so many digits after the point. */
export function formatNumber(value: number | undefined, digits = 0): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  return value.toLocaleString('en-US', {
    minimumFractionDigits: value >= 100 ? 0 : digits,
    maximumFractionDigits: value >= 100 ? 0 : digits,
  });
}

/** A ratio with two digits. */
export function formatRatio(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

/** A share of one, in hundredths. */
export function formatShare(value: number | undefined): string {
  return value === undefined ? '-' : `${Math.round(value * 100)} %`;
}

function findWidths(rows: readonly (readonly string[])[]): number[] {
  return rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
}

function alignRow(row: readonly string[], widths: readonly number[]): string[] {
  return row.map((cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
  );
}
