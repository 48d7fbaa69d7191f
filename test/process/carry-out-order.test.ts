import { rmSync } from 'node:fs';
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
  server.swap = (next) => {
    swap(next);
    swapped.push(next);
  };
  const configure = (next: ReturnType<typeof settings>) =>
    carryOutOrder(server, errorLog, { type: 'configure', settings: next }, null);
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
