import { expect, test } from 'vitest';
import { renderReference, replaceReference, type SettingSchema } from './render-configuration.ts';

const address: SettingSchema = {
  type: 'object',
  properties: { port: { type: 'integer', description: 'The port.' } },
  required: ['port'],
};
const schema: SettingSchema = {
  type: 'object',
  $defs: { port: { type: 'integer' } },
  properties: {
    listen: {
      anyOf: [
        { $ref: '#/$defs/port' },
        { type: ['string', 'null'] },
        address,
        { type: 'array', items: address },
      ],
      description: 'Where | how.',
    },
    upstreams: {
      type: 'object',
      additionalProperties: {
        anyOf: [
          { type: 'object', properties: { balance: { enum: ['round_robin', 'least_conn'] } } },
          { type: 'object', properties: { app: { const: 1 } } },
        ],
      },
    },
  },
};

test('the reference has a table per object, each object once', () => {
  expect(renderReference(schema)).toBe(
    [
      '### The whole file',
      '',
      '| key | value | meaning |',
      '|---|---|---|',
      '| `listen` | number or text or `null` or object or list of object | Where \\| how. |',
      '| `upstreams` | object |  |',
      '',
      '### `listen`',
      '',
      '| key | value | meaning |',
      '|---|---|---|',
      '| `port` (needed) | number | The port. |',
      '',
      '### `upstreams.<name>` with `balance`',
      '',
      '| key | value | meaning |',
      '|---|---|---|',
      '| `balance` | `"round_robin"` or `"least_conn"` |  |',
      '',
      '### `upstreams.<name>` with `app`',
      '',
      '| key | value | meaning |',
      '|---|---|---|',
      '| `app` | `1` |  |',
      '',
    ].join('\n'),
  );
});

test('the reference replaces what stands between the marks, again and again', () => {
  const document = 'before\n<!-- reference: npm run schema -->\nold\n<!-- end of reference -->\nafter\n';
  const once = replaceReference(document, schema);
  expect(once).not.toContain('old');
  expect(once.endsWith('<!-- end of reference -->\nafter\n')).toBe(true);
  expect(replaceReference(once, schema)).toBe(once);
  expect(() => replaceReference('no marks', schema)).toThrow('no marks');
});
