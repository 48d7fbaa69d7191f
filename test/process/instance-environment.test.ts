import { expect, test } from 'vitest';
import { listInheritedArguments } from '../../src/process/child-program.ts';
import { createInstanceEnvironment } from '../../src/process/instance-environment.ts';

test('V36: the environment of an instance holds nothing of ours but what programs need', () => {
  const own = { PATH: '/bin', LC_ALL: 'C', HTTP_PROXY: 'http://evil', DB_PASSWORD: 'secret', TZ: 'UTC' };
  expect(createInstanceEnvironment(own, {}, 'api', 2)).toEqual({
    PATH: '/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    NODE_ENV: 'production',
    TSSERVE_UPSTREAM: 'api',
    TSSERVE_INSTANCE: '2',
  });
});

test('what the config gives wins over the environment, but not over the name of the instance', () => {
  const environment = createInstanceEnvironment(
    { PATH: '/bin', NODE_ENV: 'test' },
    { PATH: '/own', SECRET: 'x', TSSERVE_INSTANCE: '9' },
    'api',
    1,
  );
  expect(environment).toMatchObject({ PATH: '/own', NODE_ENV: 'test', SECRET: 'x', TSSERVE_INSTANCE: '1' });
});

test('children inherit options of Node, but neither its debugger nor what is loaded into the master', () => {
  const given = [
    '--inspect=9229',
    '--max-old-space-size=64',
    '--import',
    '--import=x',
    '--enable-source-maps',
  ];
  expect(listInheritedArguments(given)).toEqual(['--max-old-space-size=64', '--enable-source-maps']);
});
