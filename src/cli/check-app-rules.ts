// The rules of docs/gateway.md that `tsserve check-app` looks at, in the words of that document.

import type { RuleId } from '../base/check-messages.ts';

/** A rule as the report shows it. */
export interface CheckedRule {
  readonly id: RuleId;
  /** The heading that it stands under. */
  readonly section: string;
  /** What of it is checked, word for word. */
  readonly sentence: string;
  /** For which applications it holds. */
  readonly interface: 'fetch' | 'node' | 'both';
}

type Row = readonly [id: RuleId, kind: CheckedRule['interface'], sentence: string];

const sections: readonly (readonly [section: string, rows: readonly Row[]])[] = [
  [
    'Loading',
    [
      ['G2', 'fetch', 'The default export is the application.'],
      ['G3', 'node', 'It must not listen: the instance has its own socket, which only tsserve reaches.'],
      ['G4', 'both', 'The module is evaluated once in each instance, before any request'],
      [
        'G5',
        'both',
        'A module may export a function `init`. It is called once, after the module was evaluated',
      ],
      ['G6', 'both', 'A module may export a function `close`. It is called once, without arguments'],
      ['G8', 'both', 'Loading and `init` together have `startTimeout` (30 s)'],
    ],
  ],
  [
    'The call',
    [
      [
        'G11',
        'fetch',
        'The function is called with a web `Request` and a `GatewayContext`, once for each request',
      ],
      ['G12', 'fetch', '`request.url` is absolute: scheme and host as the client used them'],
      ['G13', 'fetch', '`request.headers` holds the fields of the message. Those of the connection'],
      ['G14', 'fetch', '`request.body` is a stream, pulled from the client as it is read'],
      ['G15', 'fetch', 'GET and HEAD have no body'],
      ['G16', 'fetch', 'The body can be read until the response is out'],
      ['G17', 'fetch', "`context.clientAddress` is the client's numeric address"],
      ['G18', 'fetch', '`context.waitUntil(promise)` announces work that goes on behind the response'],
      ['G19', 'fetch', "`context.log(...values)` writes to the server's log"],
      ['G20', 'fetch', '`request.signal` and `context.signal` are one signal'],
    ],
  ],
  [
    'The response',
    [
      ['G21', 'fetch', 'The function returns a `Response`, or a promise of one'],
      ['G22', 'fetch', 'a `ReadableStream` of `Uint8Array`'],
      ['G23', 'fetch', 'A stream is sent chunk by chunk from its first byte, with nothing held back'],
      ['G25', 'fetch', 'A `Response` with a body can be returned once'],
      ['G26', 'fetch', "Fields that frame the message or concern the connection are the server's."],
      [
        'G27',
        'both',
        'A body of known size with another length, or no body where bytes are declared, is a failed call (G31)',
      ],
      ['G28', 'both', 'Names and values of fields are those that `Headers` allows'],
      ['G29', 'both', 'For HEAD the function is called as such. It may answer as for GET; no body is sent.'],
      ['G30', 'both', 'A response of status 204 or 304 goes out without a body.'],
    ],
  ],
  [
    'Errors',
    [
      [
        'G31',
        'both',
        'Before the first byte: a throw, a rejection, or anything returned that breaks G21, G25, G27 or G28',
      ],
      ['G32', 'both', 'After the first byte: a body that fails'],
      ['G33', 'both', 'Neither ends the instance. Nor does a rejection that nobody handled'],
    ],
  ],
  [
    'A client that leaves',
    [
      ['G34', 'fetch', 'When the client is gone before its response is complete, the signal is aborted'],
      ['G35', 'fetch', 'The function should stop and may throw'],
    ],
  ],
  [
    'Processes',
    [
      ['G39', 'both', 'Within one, requests run concurrently as in any Node program'],
      ['G40', 'both', 'A function that computes without pause blocks its instance.'],
    ],
  ],
  [
    'The end',
    [
      ['G42', 'both', '`close` is called; the process exits.'],
      ['G44', 'both', 'What still runs then is cut off, and so is `close`.'],
    ],
  ],
  [
    'The web classes',
    [
      ['G47', 'fetch', 'A property defined on a single `Response` object'],
      ['G48', 'fetch', 'is not found on what `fetch` returns'],
    ],
  ],
  [
    'Conduct',
    [
      ['G50', 'both', 'Every call comes to an end'],
      [
        'G51',
        'node',
        "A Node listener keeps to Node's order: one head, before the body, and nothing behind `end`.",
      ],
      ['G52', 'both', "The process is the instance's: an application does not end it"],
    ],
  ],
];

/** All of them, in the order of the document. */
export const checkedRules: readonly CheckedRule[] = sections.flatMap(([section, rows]) =>
  rows.map(([id, kind, sentence]) => ({ id, section, sentence, interface: kind })),
);
