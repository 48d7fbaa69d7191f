import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import {
  ActiveCheck,
  type CheckTimes,
  type Probe,
  type ProbeResult,
} from '../../src/upstream/active-check.ts';
import { pause, waitUntil } from '../http1/client-peer.ts';
import { answer, call, fetchError, fetchText, Surroundings } from './upstream-fixture.ts';

const times: CheckTimes = { interval: 10, jitter: 0, timeout: 1000, rise: 1, fall: 1, mandatory: false };

/** The states that a check goes through while its probe has these results, and then the last for ever. */
async function follow(results: ProbeResult[], settings: Partial<CheckTimes> = {}): Promise<string[]> {
  const timers = new TimerWheel(2);
  const states: string[] = [];
  let asked = 0;
  const probe: Probe = (onResult) => {
    const result = results[asked++];
    onResult(asked > results.length ? null : result);
    return () => {};
  };
  const observer = {
    onPassed: () => {},
    onFailed: () => {},
    onChange: (state: string, problem: string) => void states.push(`${asked}:${state} ${problem}`.trim()),
  };
  const check = new ActiveCheck({ ...times, ...settings }, probe, observer, timers);
  states.push(check.state);
  await waitUntil(() => asked >= results.length);
  check.close();
  timers.close();
  return states;
}

describe('S15: a check', () => {
  test('takes a peer out at the first failure and back in at the first pass', async () => {
    expect(await follow([null, 'a', 'b', null, null])).toEqual(['up', '2:down a', '4:up']);
  });

  test('waits for "fall" failures and "rise" passes in a row', async () => {
    const results = ['a', 'b', null, 'c', 'd', 'e', null, null, 'f', null, null, null];
    expect(await follow(results, { rise: 3, fall: 3 })).toEqual(['up', '6:down e', '12:up']);
  });

  test('that could not be made, for want of something on our side, says nothing', async () => {
    expect(await follow([undefined, 'a', undefined, undefined, null])).toEqual(['up', '2:down a', '5:up']);
    expect(await follow([undefined, null], { mandatory: true })).toEqual(['checking', '2:up']);
  });

  test('that is mandatory decides with its first result', async () => {
    expect(await follow(['a'], { mandatory: true, fall: 3 })).toEqual(['checking', '1:down a']);
    expect(await follow([null], { mandatory: true, rise: 3 })).toEqual(['checking', '1:up']);
  });

  test('gives up on a probe that takes too long, and asks again', async () => {
    const timers = new TimerWheel(2);
    let asked = 0;
    let stopped = 0;
    const problems: string[] = [];
    const probe: Probe = () => {
      asked++;
      return () => void stopped++;
    };
    const observer = {
      onPassed: () => {},
      onFailed: (problem: string) => void problems.push(problem),
      onChange: () => {},
    };
    const check = new ActiveCheck({ ...times, timeout: 10 }, probe, observer, timers);
    await waitUntil(() => asked === 3);
    expect(stopped).toBe(2);
    check.close();
    expect(stopped).toBe(3);
    await pause(50);
    expect(asked).toBe(3);
    expect(problems).toEqual(['no answer in time', 'no answer in time']);
    timers.close();
  });
});

describe('an upstream whose peers are checked', () => {
  let around: Surroundings;
  const servers: Server[] = [];
  beforeEach(() => {
    around = new Surroundings();
  });
  afterEach(async () => {
    await around.close();
    for (const server of servers.splice(0)) server.close();
  });
  const often = { interval: '10ms', jitter: 0 };

  test('T37: sends nothing to one that does not pass, and does again when it passes', async () => {
    let status = 503;
    const sick = await around.startPeer((_, head) =>
      head.startsWith('GET /health')
        ? `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`
        : answer('sick one'),
    );
    const well = await around.startPeer(() => answer('well'));
    const upstream = around.createUpstream({
      servers: [sick.url, well.url],
      health: { path: '/health', ...often },
    });
    await waitUntil(() => upstream.snapshot()[0].state === 'out');
    for (let i = 0; i < 4; i++) expect(await fetchText(upstream)).toBe('well');
    status = 204;
    await waitUntil(() => upstream.snapshot()[0].state === 'up');
    const texts = [await fetchText(upstream), await fetchText(upstream)];
    expect(texts.sort()).toEqual(['sick one', 'well']);
    expect(around.lines).toEqual([
      expect.stringMatching(/^warn upstream test: .* does not pass its health check: it answered 503$/),
      expect.stringMatching(/^notice upstream test: .* is well$/),
    ]);
    expect(upstream.snapshot()[0]).toMatchObject({ check: 'up', counters: { checkOutages: 1 } });
    expect(sick.requests[0]).toMatch(/^GET \/health HTTP\/1.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  });

  test('looks for a text in the answer, and asks for the host it is told', async () => {
    let text = 'database: lost';
    const peer = await around.startPeer(() => answer(text));
    const upstream = around.createUpstream({
      servers: [peer.url],
      health: { path: '/', host: 'app.example', body: '^database: ok$', ...often },
    });
    await waitUntil(() => upstream.snapshot()[0].check === 'down');
    expect(around.lines[0]).toContain('its answer does not match ^database: ok$');
    text = 'database: ok';
    await waitUntil(() => upstream.snapshot()[0].check === 'up');
    expect(peer.requests[0]).toContain('\r\nHost: app.example\r\n');
  });

  test('is content with a connection when no path is given', async () => {
    const dead = await around.findDeadUrl();
    const live = await around.startPeer(() => answer('live'));
    const upstream = around.createUpstream({ servers: [dead, live.url], health: often });
    await waitUntil(() => upstream.snapshot()[0].check === 'down');
    expect(upstream.snapshot()[1]).toMatchObject({ check: 'up', requests: 0 });
    expect(around.lines[0]).toMatch(/ECONNREFUSED/);
    expect(live.requests).toEqual([]);
  });

  test('may ask another port than requests go to', async () => {
    const peer = await around.startPeer(() => answer('requests'));
    const side = await around.startPeer(() => answer('ok'));
    const upstream = around.createUpstream({
      servers: [peer.url],
      health: { path: '/up', port: side.address.port, ...often },
    });
    await waitUntil(() => upstream.snapshot()[0].counters.checksPassed > 2);
    expect(peer.requests).toEqual([]);
  });

  test('has requests wait for the first check when it is mandatory', async () => {
    const peer = await around.startPeer(() => answer('checked'));
    const upstream = around.createUpstream({
      servers: [peer.url],
      health: { path: '/', mandatory: true, ...often },
    });
    expect(upstream.snapshot()[0].state).toBe('checking');
    expect(await fetchText(upstream)).toBe('checked');
    expect(peer.requests[0]).toContain('tsserve health check');
  });

  test('forgets failures of requests when checks are passed', async () => {
    let cuts = 1;
    const flaky = await around.startPeer((_, head) =>
      head.startsWith('GET /up') || cuts-- <= 0 ? answer('x') : null,
    );
    const other = await around.startPeer(() => answer('x'));
    const upstream = around.createUpstream({
      servers: [{ url: flaky.url, failTimeout: '1h' }, other.url],
      health: { path: '/up', ...often },
    });
    await fetchText(upstream);
    expect(upstream.snapshot()[0]).toMatchObject({ circuit: 'open', failures: 1 });
    await waitUntil(() => upstream.snapshot()[0].circuit === 'closed');
  });

  test('knows the results through a reload, and per way of checking', async () => {
    const dead = await around.findDeadUrl();
    const config = { servers: [dead, await around.findDeadUrl()], health: often };
    const before = around.createUpstream(config);
    await waitUntil(() => before.snapshot()[0].check === 'down');
    const after = around.createUpstream(config);
    const other = around.createUpstream({ ...config, health: { ...often, interval: '1h', fall: 9 } });
    before.close();
    expect(after.snapshot()[0].check).toBe('down');
    expect(other.snapshot()[0].check).toBe('up');
  });

  test('ends its checks when it is closed', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.on('error', () => {});
      socket.resume();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const upstream = around.createUpstream({ servers: [`http://127.0.0.1:${port}`], health: often });
    await waitUntil(() => connections > 2);
    upstream.close();
    await pause(30);
    const soFar = connections;
    await pause(60);
    expect(connections).toBe(soFar);
  });

  test('asks all the same when all are down, unless it is told to answer at once', async () => {
    const sick = await around.startPeer((_, head) =>
      head.startsWith('GET /up') ? 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n' : answer('alive'),
    );
    const config = { servers: [sick.url, await around.findDeadUrl()], health: { path: '/up', ...often } };
    const upstream = around.createUpstream(config);
    await waitUntil(() => upstream.snapshot().every(({ check }) => check === 'down'));
    expect(await fetchText(upstream)).toBe('alive');
    const strict = around.createUpstream({ ...config, panic: 0 });
    expect(await fetchError(strict)).toMatchObject({ code: 'TSS_UPSTREAM_UNAVAILABLE', status: 503 });
    expect((await call(strict)).exchange.upstreamStatus).toBe('');
  });
});
