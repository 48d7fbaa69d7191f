import { describe, expect, test } from 'vitest';
import { findMedian, renderTable } from './report.ts';
import { parseWrkOutput } from './run-wrk.ts';

const report = `Running 1s test @ http://127.0.0.1:8080/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.00ms  100.00us   5.00ms   90.00%
    Req/Sec    31.00k     1.00k   32.00k    80.00%
  31234 requests in 1.00s, 40.00MB read
`;

describe('the bench', () => {
  test('reads what wrk says', () => {
    expect(parseWrkOutput(`${report}Requests/sec:  31234.56\nTransfer/sec:     40.00MB\n`)).toEqual({
      requestsPerSecond: 31234.56,
      requests: 31234,
      otherStatuses: 0,
      socketErrors: 0,
    });
  });

  test('sees failures in it', () => {
    const text = `${report}  Socket errors: connect 0, read 3, write 0, timeout 2
  Non-2xx or 3xx responses: 17
Requests/sec:  31234.56
`;
    expect(parseWrkOutput(text)).toMatchObject({ otherStatuses: 17, socketErrors: 5 });
    expect(() => parseWrkOutput('unable to connect')).toThrow('wrk said something else');
  });

  test('gives medians, and our ratio to each other peer', () => {
    expect(findMedian([3, 100, 1])).toBe(3);
    expect(findMedian([4, 1, 2, 3])).toBe(2.5);
    const measurements = { '1k': { tsserve: [300, 100, 200], nginx: [400, 400, 100] } };
    expect(renderTable(measurements, ['tsserve', 'nginx'])).toBe(
      ['requests/s  tsserve  nginx  tsserve / nginx', '1k              200    400             0.50'].join(
        '\n',
      ),
    );
  });
});
