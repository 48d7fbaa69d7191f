// HTTP dates (RFC 9110 5.6.7): the one form we write, and the three forms a recipient must read.
// Anything else is no date: callers then ignore the field, as the RFC asks.

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const month = `(${months.join('|')})`;
const time = '(\\d\\d):(\\d\\d):(\\d\\d)';
const imfFixdate = new RegExp(`^${day}, (\\d\\d) ${month} (\\d{4}) ${time} GMT$`);
const rfc850Date = new RegExp(
  `^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-${month}-(\\d\\d) ${time} GMT$`,
);
const asctimeDate = new RegExp(`^${day} ${month} ([ \\d]\\d) ${time} (\\d{4})$`);

/** A time in whole seconds since the epoch as an IMF-fixdate. */
export function toHttpDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toUTCString();
}

/**
 * Seconds since the epoch of an IMF-fixdate, an RFC 850 date or an asctime date; null when the text is none of
 * them. A two-digit year more than 50 years ahead is one of the past century.
 */
export function parseHttpDate(text: string): number | null {
  const fixed = imfFixdate.exec(text);
  if (fixed !== null) return toEpoch(Number(fixed[3]), fixed[2], fixed[1], fixed, 4);
  const asctime = asctimeDate.exec(text);
  if (asctime !== null) return toEpoch(Number(asctime[6]), asctime[1], asctime[2], asctime, 3);
  const old = rfc850Date.exec(text);
  if (old === null) return null;
  return toEpoch(widenYear(Number(old[3])), old[2], old[1], old, 4);
}

function widenYear(twoDigits: number): number {
  const thisYear = new Date().getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

function toEpoch(
  year: number,
  monthName: string,
  dayOfMonth: string,
  match: RegExpExecArray,
  hourAt: number,
): number | null {
  const [hour, minute, second] = [
    Number(match[hourAt]),
    Number(match[hourAt + 1]),
    Number(match[hourAt + 2]),
  ];
  // 60 is a leap second: it falls into the next minute.
  if (hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, months.indexOf(monthName), Number(dayOfMonth));
  // The 31st of February would silently become a day of March.
  if (date.getUTCDate() !== Number(dayOfMonth)) return null;
  date.setUTCHours(hour, minute, second);
  return date.getTime() / 1000;
}
