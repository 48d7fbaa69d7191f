// The cheapest HTTP/1.1 upstream that Node can be, where nginx is not installed: an answer made beforehand for each
// request head, however many come at once. Arguments: port, file for /proxied/100k.bin, body of everything else.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [port, file, smallBody] = process.argv.slice(2);
const large = createAnswer(readFileSync(file), 'application/octet-stream');
const small = createAnswer(Buffer.from(smallBody), 'text/plain');

function createAnswer(body: Buffer, type: string): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

createServer((socket) => {
  let pending = '';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const heads = (pending + chunk.toString('latin1')).split('\r\n\r\n');
    pending = heads.pop() ?? '';
    const answers = heads.map((head) => (head.startsWith('GET /proxied/100k.bin ') ? large : small));
    if (answers.length > 0) socket.write(answers.length === 1 ? answers[0] : Buffer.concat(answers));
  });
}).listen(Number(port), '127.0.0.1');
