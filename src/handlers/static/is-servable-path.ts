// Which paths may name a file at all, before any file system is asked. Says nothing about whether one is there.
// The rules of Windows hold on every platform, so that a site behaves the same wherever it is moved.

const forbiddenCharacter = /[\x00-\x1f\x7f\\]/;
const deviceName = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:[.:]|$)/i;
// A drive ("C:"), or a stream of a file with its type ("x.txt::$DATA").
const driveOrStream = /^[a-z]:|:\$/i;
// What Windows alone takes for something else: streams, wildcards, and short names such as "GIT~1" for ".git".
const windowsOnly = /[<>:"|?*]|~\d/;

/**
 * Whether a path, decoded and beginning with "/", may be looked for. Refused are empty and dot segments, controls,
 * backslashes, Windows' device names, drives, streams and names that end in a dot or a space, and, unless
 * `dotfiles`, every segment that begins with a dot other than ".well-known". One slash may stand at the end.
 */
export function isServablePath(
  path: string,
  dotfiles: boolean,
  isWindows = process.platform === 'win32',
): boolean {
  if (path.charCodeAt(0) !== 0x2f || forbiddenCharacter.test(path)) return false;
  let start = 1;
  while (start < path.length) {
    let end = path.indexOf('/', start);
    if (end === -1) end = path.length;
    if (!isServableSegment(path.slice(start, end), dotfiles, isWindows)) return false;
    start = end + 1;
  }
  return true;
}

function isServableSegment(segment: string, dotfiles: boolean, isWindows: boolean): boolean {
  if (segment === '') return false;
  const last = segment.charCodeAt(segment.length - 1);
  if (last === 0x2e || last === 0x20) return false;
  if (segment.charCodeAt(0) === 0x2e && !dotfiles && segment !== '.well-known') return false;
  if (deviceName.test(segment) || driveOrStream.test(segment)) return false;
  return !(isWindows && windowsOnly.test(segment));
}
