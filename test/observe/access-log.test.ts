// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the notation of the config files
import { describe, expect, test } from 'vitest';
import { Exchange } from '../../src/message/exchange.ts';
import { compileLogFormat } from '../../src/observe/access-log.ts';

function createExchange(fields: string[] = []): Exchange {
  const connection = {
    peerAddress: '192.0.2.7',
    peerPort: 4711,
    localAddress: '192.0.2.1',
    localPort: 80,
    scheme: 'http' as const,
    listenerKey: 'tcp:*:80',
    serial: 1,
  };
  const exchange = new Exchange(connection, 'GET', '/a?b', '1.1', fields, 'a.test');
  exchange.status = 200;
  exchange.bodyBytesSent = 12;
  return exchange;
}

const format = (text: string, fields: string[] = []) => compileLogFormat(text)(createExchange(fields));

describe('the format of the access log', () => {
  test('"combined" is the format of that name', () => {
    expect(format('combined', ['User-Agent', 'curl'])).toMatch(
      /^192\.0\.2\.7 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}(:\d\d){3} [+-]\d{4}\] "GET \/a\?b HTTP\/1\.1" 200 12 "-" "curl"$/,
    );
  });

  test.each([
    ['{"status":$status}', '{"status":200}'],
    ['{$status}}', '{200}}'],
    ['${status}0', '2000'],
    ['$status$body_bytes_sent', '20012'],
    ['$$status $$$status', '$status $200'],
    ['${STATUS}', '200'],
  ])('%s is a line as it says', (text, line) => {
    expect(format(text)).toBe(line);
  });

  test('a line of one\'s own can hold the time as "combined" does', () => {
    expect(format('$time_local')).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}/);
  });

  test('V37: quotes, backslashes and what is not visible are escaped, nothing is "-"', () => {
    expect(format('$http_x|$http_y', ['X', 'a"b\\c\u00e9\x1b'])).toBe('a\\x22b\\x5Cc\\xC3\\xA9\\x1B|-');
  });

  test('an unknown variable is an error', () => {
    expect(() => compileLogFormat('$nothing')).toThrow('unknown variable "$nothing"');
  });
});
