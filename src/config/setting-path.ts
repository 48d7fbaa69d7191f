// The place of a value among the settings: a list of keys and positions, and how it is written for a person.

/** Keys of objects and positions in lists, from the outside in. */
export type SettingPath = readonly (string | number)[];

/** The path as text: `routes[2].headers["Cache-Control"]`; "" for the whole. */
export function formatSettingPath(path: SettingPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w$]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** The value at a path, undefined when there is none. Inherited members do not count. */
export function getValueAt(value: unknown, path: SettingPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}
