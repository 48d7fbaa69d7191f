import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ErrorLog } from '../../src/observe/error-log.ts';
import { LogSink } from '../../src/observe/log-sink.ts';
import { createTempFolder } from '../support/temp-folder.ts';

function createLog(level: 'debug' | 'notice' | 'error' = 'notice') {
  const path = join(createTempFolder(), 'error.log');
  const errorLog = new ErrorLog({ path, level });
  return { errorLog, path, log: errorLog.log };
}

const read = (path: string): string => readFileSync(path, 'utf8');

describe('the error log', () => {
  test('writes a line in the form of nginx', async () => {
    const { errorLog, path, log } = createLog();
    log('error', 'something broke');
    await errorLog.close();
    expect(read(path)).toMatch(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[error\] \d+#0: something broke\n$/);
    expect(read(path)).toContain(` ${process.pid}#0:`);
  });

  test('leaves out what is less severe than its level', async () => {
    const { errorLog, path, log } = createLog('error');
    for (const level of ['debug', 'info', 'notice', 'warn', 'error', 'crit'] as const) log(level, level);
    await errorLog.close();
    expect(read(path).match(/\[\w+\]/g)).toEqual(['[error]', '[crit]']);
  });

  test('makes a line of its own of each line of a text', async () => {
    const { errorLog, path, log } = createLog();
    log('error', 'first\n    at second\n');
    await errorLog.close();
    expect(read(path).trimEnd().split('\n')).toHaveLength(2);
    expect(read(path)).toMatch(/#0: {5}at second\n$/);
  });

  test('passes on lines of another process as they are, and labels what else it says', async () => {
    const { errorLog, path } = createLog('error');
    const line = '2026/11/23 05:04:03 [notice] 17#0: from a worker';
    errorLog.passOn(line, 'worker 17');
    errorLog.passOn('FATAL ERROR: heap', 'worker 17');
    errorLog.configure({ path, level: 'notice' });
    errorLog.passOn('FATAL ERROR: heap', 'worker 17');
    await errorLog.close();
    expect(read(path).split('\n')[0]).toBe(line);
    expect(read(path).match(/\[warn\] \d+#0: \[worker 17\] FATAL ERROR: heap/g)).toHaveLength(1);
  });

  test('V37: shows control characters instead of sending them to a terminal', async () => {
    const { errorLog, path, log } = createLog();
    log('error', 'a\x1b[2Jb\r\x00c\x9bd');
    await errorLog.close();
    expect(read(path)).toContain('a\\x1b[2Jb\\x0d\\x00c\\x9bd\n');
  });

  test('cuts a line that is longer than anybody reads', async () => {
    const { errorLog, path, log } = createLog();
    log('error', 'x'.repeat(100_000));
    await errorLog.close();
    expect(read(path).length).toBeLessThan(17_000);
    expect(read(path)).toMatch(/ \[\.\.\.\]\n$/);
  });

  test('T32: goes on in a new file after a rotation, and loses no line', async () => {
    const { errorLog, path, log } = createLog();
    for (let i = 0; i < 50; i++) log('error', `before ${i}`);
    renameSync(path, `${path}.1`);
    errorLog.reopen();
    for (let i = 0; i < 50; i++) log('error', `after ${i}`);
    await errorLog.close();
    const all = read(`${path}.1`) + read(path);
    expect(all.match(/before/g)).toHaveLength(50);
    expect(all.match(/after/g)).toHaveLength(50);
    expect(read(path)).toContain('after 49');
  });

  test('follows new settings: another file, another level', async () => {
    const { errorLog, path, log } = createLog();
    log('notice', 'one');
    const next = `${path}.next`;
    errorLog.configure({ path: next, level: 'error' });
    log('notice', 'two');
    log('error', 'three');
    await errorLog.close();
    expect(read(next)).toContain('three');
    expect(read(next)).not.toContain('two');
  });

  test('stays with the old file when the new one cannot be opened', async () => {
    const { errorLog, path, log } = createLog();
    expect(() => errorLog.configure({ path: join(path, 'below-a-file'), level: 'error' })).toThrow();
    log('notice', 'still here');
    await errorLog.close();
    expect(read(path)).toContain('still here');
  });
});

describe('a log sink', () => {
  test.runIf(existsSync('/dev/full'))('drops and counts lines when the disk is full', async () => {
    const sink = new LogSink('/dev/full');
    for (let i = 0; i < 10; i++) sink.write(`line ${i}\n`);
    await sink.close(1000);
    expect(sink.dropped).toBe(10);
  });

  test('takes no more than its backlog while nothing gets through', async () => {
    const path = join(createTempFolder(), 'error.log');
    const sink = new LogSink(path);
    const line = `${'x'.repeat(1023)}\n`;
    // All in one turn: no write can be completed in between.
    for (let i = 0; i < 3000; i++) sink.write(line);
    expect(sink.dropped).toBeGreaterThan(1900);
    await sink.close(5000);
    expect(readFileSync(path).length).toBeLessThan(1.1 * 1024 * 1024);
    expect(read(path)).toMatch(/\(\d+ log lines were dropped: they were not taken in time\)/);
  });
});
