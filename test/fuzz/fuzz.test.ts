import { expect, it } from 'vitest';
import { findDisagreement } from './compare-reads.ts';
import { runFuzz } from './run-fuzz.ts';

it('V1 V20: our parser takes nothing that Node refuses, and agrees on all that both take', async () => {
  const result = await runFuzz({ seed: 20_261_123, cases: 6000 });
  expect(result.findings).toEqual([]);
  expect(result.taken).toBeGreaterThan(1000);
});

it('the judgement finds what it is for', () => {
  const request = { method: 'GET', target: '/', fields: ['Host', 'a'], body: '', complete: true };
  const written = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  const read = (...requests: (typeof request)[]) => ({ requests, written });
  expect(findDisagreement(read(request), read(request))).toBeNull();
  expect(findDisagreement(read(request), read())).toContain('Node took none');
  expect(findDisagreement(read(request), read({ ...request, target: '/x' }))).toContain('target');
  expect(findDisagreement(read(request), read({ ...request, fields: ['Host', 'b'] }))).toContain('fields');
  expect(findDisagreement(read(request), read({ ...request, body: 'x' }))).toContain('body');
  expect(findDisagreement(read(request), read({ ...request, complete: false }))).toContain('not complete');
  expect(findDisagreement(read(request, request), read(request, request))).toContain('replies');
});
