// Header fields as they were on the wire: one flat list [name, value, name, value, ...], order and case kept.
// Lookups compare names without regard to case (RFC 9110 5.1); no map is ever built from names a peer chose.

/** A flat list of field names and values. Even positions are names. */
export type Fields = string[];

/** Compares a name from the wire with a lower-case one. */
export function isFieldName(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}

/** The value of the first field named `lowerName`, or undefined. */
export function getField(fields: Fields, lowerName: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    if (isFieldName(fields[i], lowerName)) return fields[i + 1];
  }
  return undefined;
}

/** All values of a list-valued field joined by ", " (RFC 9110 5.3), or undefined when there is none. */
export function joinField(fields: Fields, lowerName: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    if (!isFieldName(fields[i], lowerName)) continue;
    joined = joined === undefined ? fields[i + 1] : `${joined}, ${fields[i + 1]}`;
  }
  return joined;
}

/** Whether a field of that name is there at all. */
export function hasField(fields: Fields, lowerName: string): boolean {
  return getField(fields, lowerName) !== undefined;
}

/** Removes every field of that name, in place. */
export function removeField(fields: Fields, lowerName: string): void {
  let kept = 0;
  for (let i = 0; i < fields.length; i += 2) {
    if (isFieldName(fields[i], lowerName)) continue;
    fields[kept] = fields[i];
    fields[kept + 1] = fields[i + 1];
    kept += 2;
  }
  fields.length = kept;
}

/** Replaces every field of that name by one, in place. */
export function setField(fields: Fields, name: string, value: string): void {
  removeField(fields, name.toLowerCase());
  fields.push(name, value);
}

/** Whether a comma-separated value holds a token, without regard to case (RFC 9110 5.6.1). */
export function hasToken(value: string, lowerToken: string): boolean {
  const lower = value.toLowerCase();
  if (lower === lowerToken) return true;
  if (!lower.includes(lowerToken)) return false;
  return lower.split(',').some((item) => item.trim() === lowerToken);
}
