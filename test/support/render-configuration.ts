// The reference part of docs/configuration.md: a table per object of the config, read out of its JSON Schema.

/** As much of a JSON Schema as zod writes and this needs. */
export interface SettingSchema {
  readonly type?: string | readonly string[];
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
  const sections = listSections(schema);
  return sections.map((section) => renderSection(section, sections, schema)).join('\n');
}

function renderSection(section: Section, all: readonly Section[], root: SettingSchema): string {
  const { schema } = section;
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const needed = schema.required?.includes(key) ? ' (needed)' : '';
    const cells = [`\`${key}\`${needed}`, describeValue(value, root), value.description ?? ''];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  });
  return [
    `### ${renderTitle(section, all)}`,
    '',
    '| key | value | meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Of several objects in one place each is known by its first key. */
function renderTitle({ path, schema }: Section, all: readonly Section[]): string {
  if (path === '') return 'The whole file';
  const isAlone = all.filter((other) => other.path === path).length === 1;
  return isAlone ? `\`${path}\`` : `\`${path}\` with \`${Object.keys(schema.properties ?? {})[0]}\``;
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
  const target = resolveReference(schema, root);
  const own = target.properties === undefined ? [] : [{ path, schema: target }];
  const values = typeof target.additionalProperties === 'object' ? [target.additionalProperties] : [];
  return [
    ...own,
    ...(target.anyOf ?? []).flatMap((branch) => listObjects(path, branch, root)),
    ...(target.items === undefined ? [] : listObjects(`${path}[]`, target.items, root)),
    ...values.flatMap((value) => listObjects(`${path}.<name>`, value, root)),
  ];
}

/** The kinds of values a setting takes, joined by "or". */
function describeValue(schema: SettingSchema, root: SettingSchema): string {
  const kinds = listKinds(schema, root);
  return [...new Set(kinds)].join(' or ');
}

function listKinds(written: SettingSchema, root: SettingSchema): string[] {
  const schema = resolveReference(written, root);
  const toCode = (value: unknown) => `\`${JSON.stringify(value)}\``;
  if (schema.const !== undefined) return [toCode(schema.const)];
  if (schema.enum !== undefined) return schema.enum.map(toCode);
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((branch) => listKinds(branch, root));
  if (schema.type === 'array') {
    const items = describeValue(schema.items ?? {}, root);
    return [items.includes(' or ') ? `list of (${items})` : `list of ${items}`];
  }
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  return types.map((type) => words[type] ?? type);
}

function resolveReference(schema: SettingSchema, root: SettingSchema): SettingSchema {
  if (schema.$ref === undefined) return schema;
  return root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? {};
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'true or false',
  object: 'object',
  null: '`null`',
};
