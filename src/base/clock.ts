// Time as the request path needs it: cheap, and with the strings that depend on it rendered once a second.

let renderedSecond = -1;
let renderedDate = '';

/** Monotonic time in milliseconds (fractional), for durations and deadlines. */
export function monotonicMs(): number {
  return performance.now();
}

/** The current second since the epoch: changes exactly when {@link httpDate} does. */
export function epochSecond(): number {
  return Math.floor(Date.now() / 1000);
}

/** The current time as an IMF-fixdate (RFC 9110 5.6.7), rendered at most once a second. */
export function httpDate(): string {
  const second = epochSecond();
  if (second !== renderedSecond) {
    renderedSecond = second;
    renderedDate = new Date(second * 1000).toUTCString();
  }
  return renderedDate;
}
