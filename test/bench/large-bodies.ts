// Bodies of any size that are the same in every process that makes them.

/** No text, and no two blocks of it are equal. */
export function createBlock(bytes: number): Buffer<ArrayBuffer> {
  const block = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) block.writeInt32LE(Math.imul(at, 0x9e3779b1), at);
  return block;
}

/** A list of records in JSON, as JSON.stringify writes it, so that who parses it and writes it again has the same bytes. */
export function createJson(bytes: number): Buffer {
  const records: object[] = [];
  for (let length = 2; ; ) {
    const id = records.length + 1;
    const record = {
      id,
      name: `item ${id}`,
      price: id / 4,
      tags: ['new', 'blue'],
      stock: id % 3 === 0,
      note: '',
    };
    length += JSON.stringify(record).length + 1;
    if (length > bytes + 1) break;
    records.push(record);
  }
  const last = records.at(-1) as { note: string };
  last.note = 'x'.repeat(bytes - JSON.stringify(records).length);
  return Buffer.from(JSON.stringify(records));
}
