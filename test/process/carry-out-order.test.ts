import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ErrorLog } from '../../src/observe/error-log.ts';
import { carryOutOrder } from '../../src/process/carry-out-order.ts';
import { checkSite } from '../../src/server/check-site.ts';
import { SiteServer } from '../../src/server/site-server.ts';
import { createTempFolder } from '../support/temp-folder.ts';

function createParts() {
  const folder = createTempFolder({ 'gone/.keep': '' });
  const errorLog = new ErrorLog({ path: join(folder, 'first.log'), level: 'notice' });
  const server = new SiteServer({ log: errorLog.log });
  const settings = (more: object) =>
    checkSite({ routes: [{ path: '/', return: 204 }], ...more }, { directory: folder, name: 'test' });
  const swapped: unknown[] = [];
  const swap = server.swap.bind(server);
  server.swap = (next, servesUnlogged) => {
    swap(next, servesUnlogged);
    swapped.push(next);
  };
  const configure = (next: ReturnType<typeof settings>, inForce = false) =>
    carryOutOrder(server, errorLog, { type: 'configure', settings: next, inForce }, null);
  return { folder, errorLog, server, settings, swapped, configure };
}

test('settings whose error log cannot be opened are refused whole', async () => {
  const { folder, errorLog, server, settings, swapped, configure } = createParts();
  await configure(settings({ errorLog: 'first.log' }));
  const next = settings({ errorLog: 'gone/second.log' });
  rmSync(join(folder, 'gone'), { recursive: true });
  await expect(configure(next)).rejects.toThrow('ENOENT');
  expect(swapped).toHaveLength(1);
  expect(errorLog.target.path).toBe(join(folder, 'first.log'));
  server.close();
});

test('settings whose site cannot be had leave the error log where it was', async () => {
  const { folder, errorLog, server, settings, swapped, configure } = createParts();
  await configure(settings({ errorLog: 'first.log' }));
  const next = settings({ errorLog: 'second.log', accessLog: 'gone/access.log' });
  rmSync(join(folder, 'gone'), { recursive: true });
  await expect(configure(next)).rejects.toThrow('ENOENT');
  expect(swapped).toHaveLength(1);
  expect(errorLog.target.path).toBe(join(folder, 'first.log'));
  server.close();
});

test('settings that are in force already are served without logs, if it must be', async () => {
  const { folder, errorLog, server, settings, swapped, configure } = createParts();
  const next = settings({ errorLog: 'gone/error.log', accessLog: 'gone/access.log' });
  rmSync(join(folder, 'gone'), { recursive: true });
  await configure(next, true);
  expect(swapped).toHaveLength(1);
  await errorLog.close();
  const lines = readFileSync(join(folder, 'first.log'), 'utf8');
  expect(lines).toMatch(/\[error\].* cannot open the error log: ENOENT/);
  expect(lines).toMatch(/\[error\].* no access log until the next reload: ENOENT/);
  server.close();
});
