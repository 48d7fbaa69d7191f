// The `headers` setting of a proxy: fields of the request that are set or removed (nginx's proxy_set_header). It has
// the last word: it may also replace what we say about the client.

import type { Exchange } from '../../message/exchange.ts';
import { toFieldValue } from '../../message/field-value.ts';
import { type Fields, removeField } from '../../message/fields.ts';
import { compileTemplate } from '../../message/template.ts';

/** Changes the fields of a request in place. */
export type SetFields = (exchange: Exchange, fields: Fields) => void;

/** Compiles the setting; null when it is empty. A text that comes out empty removes the field, as null does. */
export function compileSetFields(settings: Readonly<Record<string, string | null>>): SetFields | null {
  const rules = Object.entries(settings).map(([name, value]) => ({
    name,
    lowerName: name.toLowerCase(),
    read: value === null ? null : compileTemplate(value).evaluate,
  }));
  if (rules.length === 0) return null;
  return (exchange, fields) => {
    // All are read before any is changed: they speak of the client's request.
    const values = rules.map(({ read }) => (read === null ? '' : toFieldValue(read(exchange))));
    for (const [i, { name, lowerName }] of rules.entries()) {
      removeField(fields, lowerName);
      if (values[i] !== '') fields.push(name, values[i]);
    }
  };
}
