// The settings of `proxy`.

import { z } from 'zod';
import { addProblem } from '../../config/shape/add-problem.ts';
import { duration } from '../../config/shape/duration.ts';
import { size } from '../../config/shape/size.ts';
import { templateText } from '../../config/shape/template-text.ts';
import { bufferShape } from './buffer-shape.ts';
import { cookieFlagsShape, fieldNamesShape, rewriteShape, setFieldsShape } from './rewrite-shape.ts';
import { mirrorShape, splitShape } from './split-shape.ts';

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
  headers: setFieldsShape
    .prefault({})
    .describe(
      'Fields of the request, by name: a text, which may hold variables, replaces one; null, or a text that comes out ' +
        'empty, removes it. Default: none.',
    ),
  forwarded: z
    .boolean()
    .prefault(false)
    .describe('Whether the upstream also gets Forwarded (RFC 7239) beside X-Forwarded-*. Default false.'),
  hideHeaders: fieldNamesShape
    .prefault([])
    .describe('Fields of the response that the client does not get. Default: none.'),
  passHeaders: fieldNamesShape
    .prefault([])
    .describe(
      'Fields of the response that the client gets though they end here otherwise: "Server", "X-Accel-Redirect". ' +
        'Default: none.',
    ),
  redirect: z
    .union([z.enum(['default', 'off']), rewriteShape])
    .prefault('default')
    .describe(
      'What becomes of Location and Refresh: an object of starts of URLs, each with what it becomes; a regular ' +
        'expression stands behind "~" or "~*", its groups are $1 to $9. "default": a URL of the host that the upstream ' +
        'was asked for becomes a path of this site. "off": nothing. Default "default".',
    ),
  cookieDomain: rewriteShape
    .prefault({})
    .describe(
      'What becomes of the Domain of cookies, whole; "" leaves it out. Written as "redirect". Default: nothing.',
    ),
  cookiePath: rewriteShape
    .prefault({})
    .describe('What becomes of the start of the Path of cookies. Written as "redirect". Default: nothing.'),
  cookieFlags: cookieFlagsShape
    .prefault({})
    .describe(
      'Flags that cookies get or lose, by name of the cookie or "~" and a regular expression; the first that fits ' +
        'counts. Default: none.',
    ),
  accel: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the upstream is trusted with X-Accel-Redirect, X-Accel-Buffering and X-Accel-Limit-Rate in its answers. ' +
        'Default false: they are dropped.',
    ),
  limitRate: size()
    .prefault(0)
    .describe('Most bytes of a response body that the client gets in a second; 0 for no limit. Default 0.'),
  requestBuffering: bufferShape
    .prefault(false)
    .describe(
      'Whether the body of a request is read to its end before the upstream gets any of it: true, or an object. It can ' +
        'be sent again then, to another server or to a mirror. Default false: it is passed on as it comes.',
    ),
  buffering: bufferShape
    .prefault(false)
    .describe(
      'Whether the body of a response is taken from the upstream faster than the client takes it: true, or an object. ' +
        "Default false: the upstream is held to the client's pace.",
    ),
  split: splitShape
    .nullable()
    .prefault(null)
    .describe('Shares of the requests that go to other upstreams. Default: none.'),
  mirror: mirrorShape
    .nullable()
    .prefault(null)
    .describe('Another upstream that gets copies of requests. Default: none.'),
  tunnelTimeout: duration()
    .prefault('1h')
    .describe(
      'Time after which a WebSocket is closed through which nothing has gone, in either direction; 0 for never. ' +
        'Default "1h".',
    ),
});

/** A checked `proxy` setting. */
export type ProxySettings = z.output<typeof settingsShape>;

/** Where requests go: the name of an upstream alone, or an object. */
export const proxyShape = z.union([
  z.string().transform((upstream): ProxySettings => settingsShape.parse({ upstream })),
  settingsShape,
]);
