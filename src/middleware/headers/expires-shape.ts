// The `expires` setting, with nginx's words: "30d", "-1", "modified 1h", "@15h30m", "epoch", "max", "off".

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { parseAge } from './age-shape.ts';
import type { ExpiresSettings } from './compile-expires.ts';

const daySeconds = 86_400;

/** When an answer expires. Comes out as {@link ExpiresSettings}; null for "off". */
export const expiresShape = z
  .string()
  .meta({ examples: ['30d', 'max', 'epoch', 'off', 'modified 1h', '@15h30m'] })
  .transform((text, context): ExpiresSettings => {
    const settings = parseExpires(text);
    if (settings !== undefined) return settings;
    const hint = 'such as "30d", "-1", "modified 1h", "@15h30m", "epoch", "max" or "off"';
    return addProblem(context, `${JSON.stringify(text)} is not a time of expiry`, hint);
  });

function parseExpires(text: string): ExpiresSettings | undefined {
  if (text === 'off') return null;
  if (text === 'epoch' || text === 'max') return { from: text, seconds: 0 };
  const [, word, sign, time] = /^(modified +|@)?([+-]?)(.*)$/s.exec(text) as RegExpExecArray;
  // As nginx has it, "-1" needs no unit.
  const seconds = time === '1' && sign === '-' ? 1 : parseAge(time);
  if (Number.isNaN(seconds)) return undefined;
  if (word === '@') return sign === '' && seconds < daySeconds ? { from: 'midnight', seconds } : undefined;
  return { from: word === undefined ? 'now' : 'modified', seconds: sign === '-' ? -seconds : seconds };
}
