// The reference part of docs/configuration.md: a table per object of the config, read out of its JSON Schema.

/** As much of a JSON Schema as zod writes and this needs. */
export interface SettingSchema {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SettingSchema[];
  readonly items?: SettingSchema;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SettingSchema | boolean;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SettingSchema>>;
}

/** One object of the config: where it stands, and its keys. */
interface Section {
  readonly path: string;
  readonly schema: SettingSchema;
}

const beginMark = '<!-- reference: npm run schema -->';
const endMark = '<!-- end of reference -->';

/** Puts the reference between the marks of a document. Throws when they are not there. */
export function replaceReference(markdown: string, schema: SettingSchema): string {
  const begin = markdown.indexOf(beginMark);
  const end = markdown.indexOf(endMark);
  if (begin === -1 || end < begin) throw new Error('the document has no marks for the reference');
  return `${markdown.slice(0, begin + beginMark.length)}\n\n${renderReference(schema)}\n${markdown.slice(end)}`;
}

/** A heading and a table for the whole config and each object in it. */
export function renderReference(schema: SettingSchema): string {
  return listSections(schema).map(renderSection).join('\n');
}

function renderSection({ path, schema }: Section): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const needed = schema.required?.includes(key) ? ' (needed)' : '';
    const cells = [`\`${key}\`${needed}`, describeValue(value), value.description ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  });
  const title = path === '' ? 'The whole file' : `\`${path}\``;
  return [`### ${title}`, '', '| key | value | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}

/** Objects in the order of the file; one that looks like an earlier one is left to that. */
function listSections(root: SettingSchema): Section[] {
  const sections: Section[] = [];
  const seen = new Set<string>();
  const queue: { path: string; schema: SettingSchema }[] = [{ path: '', schema: root }];
  for (const { path, schema } of queue) {
    for (const { path: at, schema: found } of listObjects(path, schema, root)) {
      const text = JSON.stringify(found.properties);
      if (seen.has(text)) continue;
      seen.add(text);
      sections.push({ path: at, schema: found });
      const prefix = at === '' ? '' : `${at}.`;
      for (const [key, value] of Object.entries(found.properties ?? {})) {
        queue.push({ path: prefix + key, schema: value });
      }
    }
  }
  return sections;
}

/** The objects with keys that a value may be or hold, with the path each has. */
function listObjects(path: string, schema: SettingSchema, root: SettingSchema): Section[] {
  const target = schema.$ref === undefined ? schema : root.$defs?.[schema.$ref.replace('#/$defs/', '')];
  if (target === undefined) return [];
  const own = target.properties === undefined ? [] : [{ path, schema: target }];
  const values = typeof target.additionalProperties === 'object' ? [target.additionalProperties] : [];
  return [
    ...own,
    ...(target.anyOf ?? []).flatMap((branch) => listObjects(path, branch, root)),
    ...(target.items === undefined ? [] : listObjects(`${path}[]`, target.items, root)),
    ...values.flatMap((value) => listObjects(`${path}.<name>`, value, root)),
  ];
}

function describeValue(schema: SettingSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const branches = schema.anyOf?.map(describeValue) ?? [];
  if (branches.length > 0) return [...new Set(branches.flatMap((branch) => branch.split(', ')))].join(', ');
  if (schema.type === 'array') return `list of ${describeValue(schema.items ?? {})}`;
  return words[schema.type ?? ''] ?? 'any';
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'true or false',
  object: 'object',
  null: '`null`',
};
