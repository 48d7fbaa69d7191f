// The time of day where the server stands, in the form of the common log format.

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
let renderedSecond = -1;
let renderedTime = '';

/** Now, as "23/Nov/2026:04:29:27 +0000", rendered once a second. */
export function formatLocalTime(): string {
  const now = new Date();
  const second = Math.floor(now.getTime() / 1000);
  if (second === renderedSecond) return renderedTime;
  const two = (value: number) => String(value).padStart(2, '0');
  const offset = -now.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const date = `${two(now.getDate())}/${months[now.getMonth()]}/${now.getFullYear()}`;
  renderedSecond = second;
  renderedTime = `${date}:${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} ${zone}`;
  return renderedTime;
}
