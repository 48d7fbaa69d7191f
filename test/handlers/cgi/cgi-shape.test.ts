import { describe, expect, test } from 'vitest';
import { cgiShape } from '../../../src/handlers/cgi/cgi-shape.ts';

const here = import.meta.dirname;

test('the name of an upstream will do', () => {
  expect(cgiShape.parse('app')).toEqual({
    upstream: 'app',
    root: null,
    peerRoot: null,
    index: null,
    script: null,
    splitPathInfo: [],
    scriptName: '',
    params: {},
    bodyBuffer: 1024 * 1024,
  });
});

test('every setting can be given', () => {
  const given = {
    upstream: 'php',
    root: here,
    peerRoot: '/srv/www/',
    index: 'index.php',
    splitPathInfo: '.php',
  };
  expect(cgiShape.parse({ ...given, params: { A: '$host', B: null }, bodyBuffer: '16k' })).toMatchObject({
    ...given,
    peerRoot: '/srv/www',
    splitPathInfo: ['.php'],
    params: { A: '$host', B: null },
    bodyBuffer: 16_384,
  });
  expect(cgiShape.parse({ upstream: 'a', scriptName: '/' })).toMatchObject({ scriptName: '' });
  expect(cgiShape.parse({ upstream: 'a', peerRoot: '/', script: '/front.php' })).toMatchObject({
    peerRoot: '',
  });
});

describe('is refused with a reason', () => {
  test.each<[object, string]>([
    [{}, 'upstream'],
    [{ root: `${here}/nowhere` }, 'folder not found'],
    [{ root: here, index: 'a/b.php' }, 'name of a file'],
    [{ root: here, index: '..' }, 'name of a file'],
    [{ root: here, script: 'index.php' }, 'normal form'],
    [{ root: here, script: '/' }, 'normal form'],
    [{ root: here, script: '/a/../b.php' }, 'normal form'],
    [{ root: here, script: '/%61.php' }, 'normal form'],
    [{ root: here, splitPathInfo: 'php' }, 'extension'],
    [{ root: here, splitPathInfo: ['.phpé'] }, 'extension'],
    [{ root: here, splitPathInfo: ['./php'] }, 'extension'],
    [{ root: here, splitPathInfo: [''] }, 'extension'],
    [{ peerRoot: 'www' }, 'absolute path'],
    [{ index: 'index.php' }, 'no \\"root\\"'],
    [{ script: '/index.php' }, 'no \\"root\\"'],
    [{ splitPathInfo: '.php' }, 'no \\"root\\"'],
    [{ root: here, script: '/a.php', index: 'index.php' }, 'answers every path'],
    [{ root: here, script: '/a.php', splitPathInfo: '.php' }, 'answers every path'],
    [{ root: here, scriptName: '/app' }, 'SCRIPT_NAME is the script'],
    [{ scriptName: 'app' }, 'normal form'],
    [{ params: { 'A-B': 'x' } }, 'name of a variable'],
    [{ params: { CONTENT_LENGTH: '1' } }, 'belongs to the body'],
    [{ params: { A: '$nothing' } }, 'unknown variable'],
    [{ params: { A: 'x\0y' } }, 'NUL'],
    [{ bodyBuffer: 0 }, 'more than 0'],
    [{ keepalive: 5 }, 'keepalive'],
  ])('%j', (settings, reason) => {
    const upstream = reason === 'upstream' ? {} : { upstream: 'app' };
    const result = cgiShape.safeParse({ ...upstream, ...settings });
    expect(JSON.stringify(result.error?.issues)).toContain(reason);
  });
});
