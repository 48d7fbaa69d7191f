import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { getField } from '../../src/message/fields.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import { readBody } from '../http1/client-peer.ts';
import { answer, call, Surroundings } from './upstream-fixture.ts';

let around: Surroundings;
beforeEach(() => {
  around = new Surroundings();
});
afterEach(() => around.close());

const secret = 'a secret of sixteen';

/** Calls with a cookie; gives the peer's name and the cookie that came back. */
async function ask(upstream: Upstream, cookie = '') {
  const { response } = await call(upstream, 'GET', null, cookie === '' ? [] : ['Cookie', cookie]);
  if (response === null) throw new Error('no response');
  const setCookie = getField(response.fields, 'set-cookie') ?? '';
  return { name: await readBody(response), setCookie, cookie: setCookie.split(';')[0] };
}

async function startThree(settings: object = {}, servers: object[] = [{}, {}, {}]) {
  const peers = await Promise.all(['a', 'b', 'c'].map((name) => around.startPeer(() => answer(name))));
  const create = (more: object[]) =>
    around.createUpstream({
      servers: peers.map(({ url }, i) => ({ url, ...more[i] })),
      sticky: { cookie: 'peer', secret, ...settings },
    });
  return { peers, create, upstream: create(servers) };
}

describe('S12: a sticky cookie', () => {
  test('keeps a client at the peer that answered it first', async () => {
    const { upstream } = await startThree();
    const first = await ask(upstream);
    for (let i = 0; i < 6; i++) {
      const next = await ask(upstream, first.cookie);
      expect(next).toEqual({ name: first.name, setCookie: '', cookie: '' });
    }
  });

  test('says nothing about the peer, and cannot be read by scripts', async () => {
    const { upstream, peers } = await startThree();
    const { setCookie } = await ask(upstream);
    expect(setCookie).toMatch(/^peer=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    for (const { address } of peers) expect(setCookie).not.toContain(String(address.port));
  });

  test('has the attributes that it is given', async () => {
    const settings = { maxAge: '1h', path: '/app', domain: 'a.example', secure: 'always', sameSite: 'None' };
    const { upstream } = await startThree(settings);
    expect((await ask(upstream)).setCookie).toMatch(
      /; Path=\/app; Domain=a\.example; Max-Age=3600; HttpOnly; Secure; SameSite=None$/,
    );
  });

  test('means the same to every process with the secret, and nothing without it', async () => {
    const { upstream, create } = await startThree();
    const { name, cookie } = await ask(upstream);
    expect((await ask(create([]), cookie)).name).toBe(name);
    const other = await ask(
      around.createUpstream({ servers: ['http://127.0.0.1:1'], sticky: { cookie: 'x' } }),
    ).catch((error: Error) => error.message);
    expect(other).toBe('no response');
    const { upstream: foreign } = await startThree({ secret: 'another one of sixteen' });
    expect((await ask(foreign, cookie)).setCookie).not.toBe('');
  });

  test.each(['peer=', 'peer=AAAA', `peer=${'A'.repeat(43)}`, 'other=1'])(
    '%s binds to nobody',
    async (cookie) => {
      const { upstream } = await startThree();
      expect((await ask(upstream, cookie)).setCookie).not.toBe('');
    },
  );

  test('T8: gives way when the peer is gone: the client is bound anew', async () => {
    const { upstream, peers } = await startThree();
    const first = await ask(upstream);
    await peers['abc'.indexOf(first.name)].close();
    const next = await ask(upstream, first.cookie);
    expect(next.name).not.toBe(first.name);
    expect(next.setCookie).not.toBe('');
    expect((await ask(upstream, next.cookie)).name).toBe(next.name);
    expect(upstream.counters.rebound).toBe(0);
    expect((await ask(upstream, first.cookie)).name).not.toBe(first.name);
    expect(upstream.counters.rebound).toBe(1);
  });

  test('holds while the peer is drained, which takes nobody new', async () => {
    const { upstream, create } = await startThree();
    const first = await ask(upstream);
    const drained = create('abc'.split('').map((name) => ({ drain: name === first.name })));
    for (let i = 0; i < 6; i++) expect((await ask(drained)).name).not.toBe(first.name);
    expect(await ask(drained, first.cookie)).toEqual({ name: first.name, setCookie: '', cookie: '' });
    expect(drained.snapshot()['abc'.indexOf(first.name)].state).toBe('drain');
    const down = create('abc'.split('').map((name) => ({ down: name === first.name })));
    expect((await ask(down, first.cookie)).name).not.toBe(first.name);
  });
});
