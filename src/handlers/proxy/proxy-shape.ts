// The settings of `proxy`.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { templateText } from '../../config/shape/template-text.ts';

/** A path without its last slash; "" for "/". Written decoded, as requests' paths are compared. */
const prefix = z.string().transform((text, context) => {
  const path = text.endsWith('/') ? text.slice(0, -1) : text;
  if (path === '') return '';
  const hint = 'begin with "/", as in "/old"';
  if (!path.startsWith('/')) return addProblem(context, `${JSON.stringify(text)} is not a path`, hint);
  if (/[\x00-\x1f\x7f?#\\]/.test(path))
    return addProblem(context, `${JSON.stringify(text)} holds a character that no path may`, hint);
  if (path.includes('%'))
    return addProblem(
      context,
      'a prefix is written decoded',
      'write the character in place of "%" and digits',
    );
  if (path.split('/').some((part, i) => i > 0 && (part === '' || part === '.' || part === '..')))
    return addProblem(context, `${JSON.stringify(text)} has an empty or a dot segment`);
  return path;
});

const settingsShape = z.strictObject({
  upstream: z.string().describe('Name of the upstream that answers.'),
  stripPrefix: prefix
    .prefault('')
    .describe(
      'Start of the path that the upstream does not see, taken off at a "/" only. The path is sent in its ' +
        'normal form then, not as the client wrote it. Default: none.',
    ),
  addPrefix: prefix
    .prefault('')
    .describe(
      'Put in front of the path, after stripPrefix. The path is sent in its normal form. Default: none.',
    ),
  host: templateText()
    .nullable()
    .prefault(null)
    .describe("The Host that the upstream sees. May hold variables. Default: the client's, unlike nginx."),
});

/** A checked `proxy` setting. */
export type ProxySettings = z.output<typeof settingsShape>;

/** Where requests go: the name of an upstream alone, or an object. */
export const proxyShape = z.union([
  z
    .string()
    .transform((upstream): ProxySettings => ({ upstream, stripPrefix: '', addPrefix: '', host: null })),
  settingsShape,
]);
