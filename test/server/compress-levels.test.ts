// Which routes compress: what the top, a server and a route say of it, merged.

import { expect, test } from 'vitest';
import { siteShape } from '../../src/server/site-shape.ts';
import { toSiteSettings } from '../../src/server/to-site-settings.ts';

test('compress merges down from the top over the server to the route', () => {
  const written = {
    compress: { minSize: '2k' },
    servers: [
      { routes: [{ path: '/', return: 404 }] },
      {
        compress: false,
        routes: [
          { path: '/', return: 404 },
          { path: '/a', return: 404, compress: { levels: { gzip: 2 } } },
        ],
      },
      {
        compress: { encodings: ['gzip'] },
        routes: [
          { path: '/', return: 404, compress: false },
          { path: '/b', return: 404 },
        ],
      },
    ],
  };
  const { servers } = toSiteSettings(siteShape.parse(written));
  const routes = servers.flatMap((server) => server.routes.map(({ compress }) => compress));
  expect(routes).toMatchObject([
    { minSize: 2_048, encodings: ['br', 'zstd', 'gzip'] },
    null,
    { minSize: 2_048, levels: { gzip: 2, br: 4, zstd: 3 } },
    null,
    { minSize: 2_048, encodings: ['gzip'] },
  ]);
});
