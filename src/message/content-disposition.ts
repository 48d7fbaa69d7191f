// Content-Disposition (RFC 6266) for a file that is to be saved rather than shown, whatever its name holds.

import { percentEncode } from './percent-encoding.ts';

// RFC 8187 3.2.1: what stands for itself.
const unsafeInExtended = /[^A-Za-z0-9!#$&+\-.^_`|~]/gu;
// "%" and the backslash are read in different ways by different browsers, a slash never belongs into a name.
const unsafeInQuoted = /[^\x20-\x7e]|["%\\/]/gu;
const loneSurrogate = /[\ud800-\udfff]/gu;

/** The value for saving under `name`: a form for old readers, and the exact one where that is another. */
export function toAttachment(name: string): string {
  const plain = name.replace(unsafeInQuoted, '_');
  if (plain === name) return `attachment; filename="${name}"`;
  const exact = name.replace(loneSurrogate, '\ufffd').replace(unsafeInExtended, percentEncode);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
