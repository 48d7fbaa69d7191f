// The kinds of work that are measured. Each is a row: another one needs no code.

/** One kind of work. */
export interface BenchKind {
  readonly name: string;
  readonly path: string;
  /** Field lines beside Host. */
  readonly fields: readonly string[];
  /** Sends the ETag that the server itself gave for the path, so that it may answer 304. */
  readonly conditional?: boolean;
  /** What every answer must be; checked before the clock runs, and its status during the run too. */
  readonly status: number;
  /** Bytes of the body; null where servers may differ. */
  readonly bodyBytes: number | null;
}

/** A browser's request for a page, with Host 14 fields. */
const browserFields = [
  'Connection: keep-alive',
  'Cache-Control: max-age=0',
  'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
  'sec-ch-ua-mobile: ?0',
  'sec-ch-ua-platform: "Linux"',
  'Upgrade-Insecure-Requests: 1',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Sec-Fetch-Site: none',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Dest: document',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
];

/** Everything that is measured, in the order of the table. */
export const benchKinds: readonly BenchKind[] = [
  { name: '1k', path: '/1k.txt', fields: [], status: 200, bodyBytes: 1024 },
  { name: '1k-browser', path: '/1k.txt', fields: browserFields, status: 200, bodyBytes: 1024 },
  { name: 'not-modified', path: '/1k.txt', fields: [], conditional: true, status: 304, bodyBytes: 0 },
  { name: 'not-found', path: '/none.txt', fields: [], status: 404, bodyBytes: null },
  { name: 'proxied', path: '/proxied/', fields: [], status: 200, bodyBytes: 12 },
];
