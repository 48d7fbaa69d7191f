// What a host name may look like, be it from a config or from an answer of DNS.

const hostNamePattern = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/i;

/** Whether a text is a host name, or an IPv4 address: letters, digits, hyphens, underscores and dots. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && hostNamePattern.test(text);
}
