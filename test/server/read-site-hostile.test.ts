// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation of the config files

// Whatever stands in a config file, the reader either gives settings or throws a ConfigError.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError } from '../../src/config/config-error.ts';
import { formatConfigError } from '../../src/config/format-config-error.ts';
import { parseSite } from '../../src/server/read-site.ts';

const keys =
  'listen workers upstreams routes servers headers timeouts limits accessLog errorLog pid trustedProxies path ' +
  'static proxy return redirect root index status body to upstream app instances command url weight names default ' +
  'port host header keepalive head fields __proto__ constructor toString';
const keyArbitrary = fc.oneof(fc.constantFrom(...keys.split(' ')), fc.string({ maxLength: 5 }));
const leafArbitrary = fc.oneof(
  fc.constantFrom(
    '/',
    '= /x',
    '~ (',
    '8080',
    'unix:x',
    '5s',
    '1m',
    'auto',
    'api',
    'a\0b',
    '\u001b[2J',
    '$host',
    '${A}',
  ),
  fc.string({ maxLength: 8, unit: 'binary' }),
  fc.constantFrom(-1, 0, 1, 200, 8080, 1e308, 1.5, true, false, null),
);
const siteArbitrary = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5, depthSize: 'small' }, leafArbitrary, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.dictionary(keyArbitrary, tie('value'), { maxKeys: 6 }),
})).object;

/** The reports of a config; fails when anything but a ConfigError is thrown. */
function report(text: string): string {
  try {
    parseSite(text, '/nowhere/site.json');
    return '';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const problem of error.problems) {
      expect(problem.line).toBeGreaterThan(0);
      expect(problem.column).toBeLessThanOrEqual(problem.sourceLine.length + 1);
      expect(problem.problem).not.toMatch(/Invalid input|undefined|\[object/);
    }
    return formatConfigError(error, { color: false });
  }
}

test('V20: settings of every wrong kind give settings or located problems, nothing else', () => {
  fc.assert(
    fc.property(siteArbitrary, (site) => {
      expect(report(JSON.stringify(site))).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
    }),
    { numRuns: 400 },
  );
});

test('V20: any text gives settings or located problems, nothing else', () => {
  const token = fc.constantFrom(
    ...'{ } [ ] : , " \\ / // /* */ \n \t ${ ${A} 1 - . e true null \ufeff "a" "routes" \u2028'.split(' '),
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(token, { maxLength: 30 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (garbage) => {
      report(garbage);
    }),
    { numRuns: 600 },
  );
});

test('V20: a good config with one character changed gives settings or located problems', () => {
  const good = '{ "listen": "127.0.0.1:80", "routes": [{ "path": "~ ^/a$", "return": { "status": 200 } }] }';
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ minLength: 0, maxLength: 2 }), (at, inserted) => {
      report(good.slice(0, at) + inserted + good.slice(at + 1));
    }),
    { numRuns: 400 },
  );
});
