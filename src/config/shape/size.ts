// The shape of an amount of bytes: 65536, "16k", "1m", "1g".

import { z } from 'zod';
import { addProblem } from './add-problem.ts';

const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const examples = 'write a whole number of bytes, or one with a unit, such as "16k", "1m" or "1g"';

/** Bytes of a size text; NaN when it is none. Units count in 1024s, as nginx's do, in either case. */
export function parseSize(text: string): number {
  const match = /^(\d{1,15})([kmg]?)$/i.exec(text);
  return match === null ? Number.NaN : Number(match[1]) * unitBytes[match[2].toLowerCase()];
}

/** A size: a whole number of bytes, or a text with unit (k, m, g). Comes out in bytes. */
export function size() {
  const text = z.string().meta({ pattern: '^(\\d+[kKmMgG]?|.*\\$\\{.*)$', examples: ['16k', '1m'] });
  return z.union([text, z.number().meta({ minimum: 0 })]).transform((value, context) => {
    const bytes = parseSize(String(value));
    if (Number.isSafeInteger(bytes)) return bytes;
    return addProblem(context, `${JSON.stringify(value)} is not a size`, suggest(value));
  });
}

function suggest(value: string | number): string {
  const match = /^(\d+) ?([kmg])i?b$/i.exec(String(value));
  return match === null ? examples : `did you mean "${match[1]}${match[2].toLowerCase()}"?`;
}
