import { describe, expect, test } from 'vitest';
import { ArgumentError, parseArguments } from '../../src/cli/parse-arguments.ts';

const nothing = {
  folder: undefined,
  config: undefined,
  test: false,
  dump: false,
  signal: undefined,
  prefix: undefined,
  errorLog: undefined,
  directives: undefined,
  version: false,
  buildInfo: false,
  quiet: false,
  watch: false,
  port: undefined,
  host: undefined,
  spa: false,
  listing: false,
  autoPort: false,
  open: false,
};

describe('the command line', () => {
  test.each([
    ['', {}],
    ['-c a.json', { config: 'a.json' }],
    ['--config=a.json', { config: 'a.json' }],
    ['-t -c a.json', { test: true, config: 'a.json' }],
    ['-c a.json -t', { test: true, config: 'a.json' }],
    ['--watch -c a.json', { watch: true, config: 'a.json' }],
    ['-tq', { test: true, quiet: true }],
    ['-qtc a.json', { test: true, quiet: true, config: 'a.json' }],
    ['-T', { dump: true }],
    ['-s reload', { signal: 'reload' }],
    ['-s quit -c x', { signal: 'quit', config: 'x' }],
    ['-p /srv -e log', { prefix: '/srv', errorLog: 'log' }],
    ['-g {"workers":1}', { directives: '{"workers":1}' }],
    ['-v', { version: true }],
    ['-V', { buildInfo: true }],
    ['./public', { folder: './public' }],
    ['./public --port 80 --host ::1', { folder: './public', port: 80, host: '::1' }],
    ['--port 80 ./public', { folder: './public', port: 80 }],
    ['--spa ./dist --listing', { folder: './dist', spa: true, listing: true }],
    ['./dist --open --auto-port', { folder: './dist', open: true, autoPort: true }],
    ['--port=0 -- -odd', { folder: '-odd', port: 0 }],
  ])('T25: %j', (line, expected) => {
    expect(parseArguments(line === '' ? [] : line.split(' '))).toEqual({ ...nothing, ...expected });
  });

  test.each([
    ['--prot 80 x', /unknown option '--prot'\n\(Did you mean --port\?\)/],
    ['--tets', /Did you mean --test/],
    ['-z', /unknown option '-z'/],
    ['-c', /argument missing/],
    ['-s restart', /Allowed choices are reload, quit, stop, reopen/],
    ['a b', /too many arguments/],
    ['x --port 65536', /A port is a number/],
    ['x --port 8o', /A port is a number/],
    ['x --port -1', /A port is a number/],
    ['x -c a.json', /give a folder or -c, not both/],
    ['--port 80', /go with a folder/],
    ['-c a.json --host ::1', /go with a folder/],
    ['--auto-port', /go with a folder/],
    ['-c a.json --spa', /go with a folder; a config says "fallback"/],
    ['--listing', /go with a folder/],
    ['--open -c a.json', /go with a folder/],
    ['x -s quit', /finds the server by its config/],
  ])('T25: %j ends with 2 and says why', (line, message) => {
    let thrown: unknown;
    try {
      parseArguments(line.split(' '));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ArgumentError);
    expect((thrown as ArgumentError).exitCode).toBe(2);
    expect((thrown as ArgumentError).message).toMatch(message);
  });

  test('--help is no failure', () => {
    expect(() => parseArguments(['--help'])).toThrow(expect.objectContaining({ exitCode: 0 }));
  });
});
