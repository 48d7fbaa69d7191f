import { describe, expect, test } from 'vitest';
import { renderSiteSchema } from '../../src/server/site-schema.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [key: string]: unknown;
}

const text = renderSiteSchema();
const schema = JSON.parse(text) as Schema;

/** Paths of all keys a config may have that say nothing of themselves. */
function findUndescribed(node: unknown, path: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties } = node as Schema;
  const own = Object.entries(properties ?? {})
    .filter(([, property]) => property.description === undefined)
    .map(([key]) => `${path}/${key}`);
  return [
    ...own,
    ...Object.entries(node).flatMap(([key, inner]) => findUndescribed(inner, `${path}/${key}`)),
  ];
}

describe('the JSON Schema of the config', () => {
  test('is of draft 2020-12 and has a title', () => {
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.title).toBe('tsserve site');
  });

  test('is the same text each time, ending in a newline', () => {
    expect(renderSiteSchema()).toBe(text);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('describes every key of every level', () => {
    expect(findUndescribed({ properties: { a: {} } }, '')).toEqual(['/a']);
    expect(findUndescribed(schema, '')).toEqual([]);
  });

  test('describes what is written, not what comes out: units are texts', () => {
    expect(schema.properties?.timeouts.properties?.header.default).toBe('60s');
    expect(schema.properties?.limits.properties?.head.default).toBe('16k');
  });

  test('knows no other keys, and one answer for each route', () => {
    expect(schema.additionalProperties).toBe(false);
    const { route } = schema.$defs as Record<string, Schema>;
    expect(route.additionalProperties).toBe(false);
    expect(route.required).toEqual(['path']);
    expect(route.oneOf).toEqual(
      ['static', 'proxy', 'cgi', 'return', 'redirect'].map((key) => ({ required: [key] })),
    );
  });
});
