// Entity tags (RFC 9110 8.8.3) and the two ways to compare them.

const listItem = /[\t ]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)")?[\t ]*(?:,|$)/y;

/** Whether the tag is a weak one: equal meaning, not equal bytes. */
export function isWeakTag(tag: string): boolean {
  return tag.startsWith('W/');
}

/** Strong comparison: equal, and neither of them weak. */
export function isSameStrongTag(a: string, b: string): boolean {
  return a === b && !isWeakTag(a);
}

/**
 * Whether a list of tags, the value of If-Match or If-None-Match, holds `tag`. Weak comparison disregards weakness
 * on both sides. A value that is no such list holds nothing from its first error on.
 */
export function hasEntityTag(list: string, tag: string, comparison: 'strong' | 'weak'): boolean {
  const opaque = isWeakTag(tag) ? tag.slice(3, -1) : tag.slice(1, -1);
  if (comparison === 'strong' && isWeakTag(tag)) return false;
  listItem.lastIndex = 0;
  while (listItem.lastIndex < list.length) {
    const match = listItem.exec(list);
    if (match === null) return false;
    if (match[2] === opaque && (comparison === 'weak' || match[1] === undefined)) return true;
  }
  return false;
}
