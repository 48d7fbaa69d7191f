// Draws the lines of a source around a place, with a mark under it.

const linesBefore = 2;
/** Longer ones, of a bundle say, are cut to what is around the place. */
const maxWidth = 120;

/** The frame, line by line. Empty when there is no such line. @param line from 1 @param column from 1, 0 for no mark */
export function drawFrame(source: readonly string[], line: number, column: number): string[] {
  if (line < 1 || line > source.length) return [];
  const first = Math.max(1, line - linesBefore);
  const width = String(line).length;
  const start = Math.max(0, column - maxWidth / 2);
  const frame: string[] = [];
  for (let number = first; number <= line; number++) {
    const text = source[number - 1].slice(start, start + maxWidth).replace(/\r$/, '');
    frame.push(`  ${String(number).padStart(width)} | ${text}`.trimEnd());
  }
  if (column > 0) {
    // Tabs stay tabs, so that the mark stands where the place does.
    const before = source[line - 1].slice(start, column - 1).replace(/[^\t]/g, ' ');
    frame.push(`  ${' '.repeat(width)} | ${before}^`);
  }
  return frame;
}
