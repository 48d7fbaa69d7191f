import { describe, expect, test } from 'vitest';
import { findStrayWords, roomWords } from './room-word-rules.ts';
import { createSourceFile, readSourceFiles } from './source-file.ts';

test('words that belong to one room stand in no other', () => {
  expect(findStrayWords(readSourceFiles(), roomWords)).toEqual([]);
});

describe('a planted violation is found', () => {
  test.each([
    ['handlers/static/a.ts', "fields.push('Content-Length', '5');", 'Content-Length'],
    ['handlers/proxy/a.ts', 'head += `Transfer-Encoding: $' + '{coding}\\r\\n`;', 'Transfer-Encoding'],
    ['server/a.ts', 'process.exit(1);', 'process.exit'],
    ['http1/a.ts', "process.on('SIGHUP', f);", 'process.on'],
    ['router/a.ts', "const f = new Function('a', 'return a');", 'Function'],
    ['router/a.ts', "eval('1');", 'eval'],
    ['handlers/static/create-static.ts', "import { z } from 'zod';", 'zod'],
    ['handlers/static/create-static.ts', "import { z } from 'zod/mini';", 'zod'],
    ['upstream/a.ts', "import proxy from 'http-proxy';", 'http-proxy'],
    ['app-host/a.ts', "import { spawn } from 'node:child_process';", 'node:child_process'],
    ['handlers/proxy/a.ts', "import net from 'node:net';", 'node:net'],
    ['server/a.ts', "import { connect, isIP } from 'node:net';", 'node:net'],
    ['handlers/proxy/a.ts', "const net = await import('node:net');", 'node:net'],
    ['observe/a.ts', 'console.log(1);', 'console'],
    ['http1/a.ts', 'setInterval(f, 1);', 'setInterval'],
  ])('in %s: %s', (path, text, word) => {
    const found = findStrayWords([createSourceFile(path, text)], roomWords);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(word);
  });
});

test('what is allowed is not reported', () => {
  const allowed = [
    createSourceFile('http1/a.ts', "import net from 'node:net'; head += 'Content-Length: 5';"),
    createSourceFile('cli/main.ts', 'process.exit(2);'),
    createSourceFile('handlers/static/static-shape.ts', "import { z } from 'zod';"),
    createSourceFile(
      'handlers/static/a.ts',
      "getField(fields, 'content-length'); // Content-Length, process.exit",
    ),
    createSourceFile('server/a.ts', "import { isIP } from 'node:net';"),
    createSourceFile('server/site-schema.ts', "import { z } from 'zod';"),
    createSourceFile('handlers/proxy/a.ts', "import type { Socket } from 'node:net';"),
  ];
  expect(findStrayWords(allowed, roomWords)).toEqual([]);
});
