import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../support/free-port.ts';
import { repositoryRoot, startProcess } from '../support/run-tsserve.ts';
import { waitUntilListening } from '../support/start-server.ts';
import { createTempFolder, writeFiles } from '../support/temp-folder.ts';

const run = promisify(execFile);

describe('the package, installed elsewhere', () => {
  let folder = '';
  beforeAll(async () => {
    folder = createTempFolder({
      'package.json': '{ "name": "elsewhere", "private": true, "type": "module" }',
    });
    const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
      cwd: repositoryRoot,
    });
    const tarball = stdout.trim().split('\n').at(-1) as string;
    await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], {
      cwd: folder,
    });
  }, 120_000);

  it('serves a folder with npx tsserve FOLDER', async () => {
    writeFiles(folder, { 'some-folder/index.html': 'hello from a folder', 'some-folder/a.css': 'a{}' });
    const port = await findFreePort();
    const server = startProcess(['npx', 'tsserve', './some-folder', '--port', String(port)], { cwd: folder });
    await waitUntilListening(server, port, 20_000);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello from a folder');
    expect((await fetch(`http://127.0.0.1:${port}/a.css`)).headers.get('content-type')).toBe(
      'text/css; charset=utf-8',
    );
    expect((await fetch(`http://127.0.0.1:${port}/none`)).status).toBe(404);
    // npx runs a shell, which runs the server: on a terminal Ctrl-C reaches all of them.
    const childOf = (pid: number) =>
      Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
    process.kill(childOf(childOf(server.pid)), 'SIGINT');
    expect(await server.exit).toEqual({ code: 0, signal: null });
  }, 60_000);

  it('has types for TypeScript, with and without skipLibCheck', async () => {
    const compilerOptions = {
      strict: true,
      module: 'nodenext',
      target: 'es2022',
      noEmit: true,
      skipLibCheck: false,
      types: ['node'],
    };
    writeFiles(folder, {
      'app.ts': `
        import type { GatewayContext, GatewayFunction, GatewayModule } from 'tsserve/gateway';
        const app = ((request: Request, context: GatewayContext) => new Response(context.clientAddress + request.url)) satisfies GatewayFunction;
        export default app;
        export const module: GatewayModule = { default: app };
      `,
      'embed.ts': `
        import { createServer, defineSite } from 'tsserve';
        const site = defineSite({ listen: 0, routes: [{ path: '/', return: { status: 200, body: 'x' } }] });
        const server = createServer(site, { directory: '.' });
        export const addresses = await server.listen();
        await server.close();
      `,
      'tsconfig.json': JSON.stringify({ compilerOptions, files: ['app.ts', 'embed.ts'] }),
    });
    const tsc = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const typeRoots = join(repositoryRoot, 'node_modules/@types');
    const result = await run(process.execPath, [tsc, '-p', folder, '--typeRoots', typeRoots]).catch(
      (error: { stdout: string }) => error,
    );
    expect(result.stdout).toBe('');
  }, 60_000);

  it('embeds in a program of one process', async () => {
    writeFiles(folder, {
      'embed.mjs': `
        import { createServer, defineSite } from 'tsserve';
        const site = defineSite({ listen: '127.0.0.1:0', routes: [{ path: '/', return: { status: 200, body: 'embedded' } }] });
        const server = createServer(site, { directory: '.' });
        const [address] = await server.listen();
        console.log(JSON.stringify(address), await (await fetch('http://127.0.0.1:' + (address.port ?? new URL(address).port))).text());
        await server.close();
      `,
    });
    const { stdout } = await run(process.execPath, ['embed.mjs'], { cwd: folder, timeout: 20_000 });
    expect(stdout).toContain('embedded');
  });

  it('holds the program, and neither tests nor sources', () => {
    const root = join(folder, 'node_modules/tsserve');
    for (const name of [
      'bin/tsserve.js',
      'dist/index.d.ts',
      'dist/gateway.d.ts',
      'config/site.schema.json',
      'README.md',
      'LICENSE',
    ]) {
      expect([name, existsSync(join(root, name))]).toEqual([name, true]);
    }
    for (const name of ['src', 'test', 'public', 'dist/.tsbuildinfo', 'tsconfig.json']) {
      expect([name, existsSync(join(root, name))]).toEqual([name, false]);
    }
  });
});
