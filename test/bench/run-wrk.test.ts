import { describe, expect, test } from 'vitest';
import { findProblem } from './measure-jobs.ts';
import { parseWrkOutput, renderPostScript, renderWrkScript } from './run-wrk.ts';

const report = `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.00ms  100.00us   5.00ms   90.00%
    Req/Sec    31.00k     1.00k   32.00k    80.00%
  31234 requests in 1.00s, 40.00MB read
`;

describe('a report of wrk', () => {
  test('is read', () => {
    expect(parseWrkOutput(`${report}Requests/sec:  31234.56\nTransfer/sec:     40.00MB\n`)).toEqual({
      requestsPerSecond: 31234.56,
      requests: 31234,
      bytes: 40 * 1024 * 1024,
      otherStatuses: 0,
      socketErrors: 0,
    });
  });

  test('shows failures', () => {
    const text = `${report}  Socket errors: connect 0, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 17
Requests/sec:  31234.56
`;
    expect(parseWrkOutput(text)).toMatchObject({ otherStatuses: 17, socketErrors: 5 });
    expect(() => parseWrkOutput('unable to connect')).toThrow('wrk said something else');
  });
});

describe('a run is refused', () => {
  const good = { requestsPerSecond: 10, requests: 10, bytes: 11_000, otherStatuses: 0, socketErrors: 0 };
  const answer = { status: 200, body: Buffer.alloc(1024) };

  test('not when all answers were what they must be', () => {
    expect(findProblem(good, answer)).toBeNull();
    expect(findProblem({ ...good, otherStatuses: 10 }, { status: 404, body: null })).toBeNull();
  });

  test.each([
    ['without an answer', { requests: 0 }, answer],
    ['with connections cut', { socketErrors: 1 }, answer],
    ['with errors among the answers', { otherStatuses: 1 }, answer],
    ['with files where 404 is right', { otherStatuses: 9 }, { status: 404, body: null }],
    ['with bytes that are missing', { bytes: 10_000 }, answer],
  ])('%s', (_, difference, expected) => {
    expect(findProblem({ ...good, ...difference }, expected)).toEqual(expect.any(String));
  });
});

test('a script posts a file', () => {
  expect(renderPostScript('/tmp/a "b"')).toContain('io.open("/tmp/a \\"b\\"", "rb")');
});

test('a script asks for its paths in turn', () => {
  expect(renderWrkScript(['/a', '/b'])).toMatch(/^local paths = \{ "\/a", "\/b" \}$/m);
});
