import { afterEach, beforeEach, expect, test } from 'vitest';
import { mirror, ProxyBench } from './proxy-fixture.ts';

let bench: ProxyBench;
beforeEach(() => {
  bench = new ProxyBench();
});
afterEach(() => bench.close());

test('fields of a request are set, replaced and removed', async () => {
  const handler = await bench.startMirror({
    headers: {
      'X-Tenant': '$host',
      'accept-encoding': null,
      'X-Real-IP': '$http_x_old',
      'X-Old': '',
      'X-Request-Id': 'fixed',
    },
  });
  const lines = await mirror(handler, {
    fields: ['Host', 'a', 'Accept-Encoding', 'br', 'x-tenant', 'forged', 'X-Old', '5'],
  });
  expect(lines.slice(1)).toEqual([
    'Host: a',
    'X-Forwarded-For: 203.0.113.9',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Host: a',
    'X-Tenant: site.example',
    'X-Real-IP: 5',
    'X-Request-Id: fixed',
  ]);
});

test('V11: what a client sends cannot end the line of a field that is set', async () => {
  const handler = await bench.startMirror({ headers: { 'X-Copy': '$arg_a $http_x' } });
  const lines = await mirror(handler, { target: '/?a=1', fields: ['Host', 'a', 'X', 'é\r\nX-Admin: 1'] });
  expect(lines.at(-1)).toBe('X-Copy: 1 %C3%A9%0D%0AX-Admin: 1');
});

test.each<[string, string[], string]>([
  ['203.0.113.9', [], 'for=203.0.113.9;host="a:8080";proto=http'],
  ['203.0.113.9', ['Forwarded', 'for=1.1.1.1'], 'for=203.0.113.9;host="a:8080";proto=http'],
  ['2001:db8::1', [], 'for="[2001:db8::1]";host="a:8080";proto=http'],
  ['unix:', [], 'for=unknown;host="a:8080";proto=http'],
  ['10.0.0.1', ['Forwarded', 'for=1.1.1.1'], 'for=1.1.1.1, for=10.0.0.1;host="a:8080";proto=http'],
])('V23: Forwarded is written when it is asked for (peer %s, %j)', async (peer, fields, expected) => {
  const handler = await bench.startMirror({ forwarded: true });
  const lines = await mirror(handler, { peer, fields: ['Host', 'a:8080', ...fields] });
  expect(lines.filter((line) => /^forwarded:/i.test(line))).toEqual([`Forwarded: ${expected}`]);
  expect(lines).toContain(`X-Forwarded-For: ${peer}`);
});
