import { expect, test } from 'vitest';
import { benchApplications } from './applications.ts';
import { benchFigures } from './figures.ts';
import { growthItems } from './growth-items.ts';
import { benchKinds } from './kinds.ts';
import { createJson } from './large-bodies.ts';
import { benchPeers } from './peers/bench-peers.ts';
import { createProgramPeer } from './peers/peer.ts';

test('no two rows share a name, and none holds what separates names', () => {
  const names = [...benchKinds, ...growthItems, ...benchFigures].map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => /[\s,]/.test(name))).toEqual([]);
});

test('what grows names peers that there are, and a step to compare with', () => {
  const peers = benchPeers.map((peer) => peer.name);
  for (const item of growthItems) {
    expect(peers).toEqual(expect.arrayContaining([...item.peers]));
    expect(item.steps.map((step) => step.label)).toContain(item.reference);
  }
});

test('what an application answers lies below its name, and every application is asked', () => {
  const asked = benchKinds.flatMap(({ application, path }) =>
    application === undefined ? [] : { application, path },
  );
  for (const { application, path } of asked) expect(path.startsWith(`/${application}/`)).toBe(true);
  const names = benchApplications.map((each) => each.name);
  expect([...new Set(asked.map((each) => each.application))].sort()).toEqual(names.sort());
});

test('JSON that is parsed and written again has the same bytes', () => {
  for (const bytes of [100, 1023, 100 * 1024]) {
    const text = createJson(bytes).toString();
    expect(text).toHaveLength(bytes);
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
  }
});

test("a browser's request has 14 fields with Host", () => {
  expect(benchKinds.find((kind) => kind.name === '1k-browser')?.fields).toHaveLength(13);
});

test('a peer that is not installed says so', () => {
  const program = { abilities: [], versionArguments: [], renderConfig: () => '', listArguments: () => [] };
  expect(createProgramPeer({ ...program, name: 'no-such-server' }).findObstacle()).toBe(
    'no-such-server is not installed',
  );
});
