// Bodies of 100 KiB: one that is sent, one of JSON that is parsed and sent back, one that is streamed back.

import { createBlock } from '../large-bodies.ts';

const bytes = { headers: { 'Content-Type': 'application/octet-stream' } };
const json = { headers: { 'Content-Type': 'application/json' } };
const block = createBlock(100 * 1024);

export default async (request: Request): Promise<Response> => {
  if (request.method === 'GET') return new Response(block, bytes);
  if (request.url.endsWith('/stream')) return new Response(request.body, json);
  return Response.json(await request.json());
};
