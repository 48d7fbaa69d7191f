// The environment of an app instance: what programs commonly need to run at all, and what the config gives. Nothing
// else of the master's own environment, where secrets of the server may lie.

/** Passed on when set. */
const passedOn: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'NODE_ENV',
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_EXTRA_CA_CERTS',
  'NO_COLOR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/**
 * @param given the upstream's `env` @param instance from 1, as TSSERVE_INSTANCE @param upstream its name, as TSSERVE_UPSTREAM
 * @param user whom it runs as, if not as the master: HOME, USER and LOGNAME are then that user's. NODE_ENV is "production" unless somebody says otherwise: frameworks show stacks to clients without it.
 */
export function createInstanceEnvironment(
  own: NodeJS.ProcessEnv,
  given: Readonly<Record<string, string>>,
  upstream: string,
  instance: number,
  user?: { readonly name: string; readonly home: string },
): Record<string, string> {
  const environment: Record<string, string> = { NODE_ENV: 'production' };
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined && (passedOn.includes(key) || key.startsWith('LC_'))) environment[key] = value;
  }
  if (user !== undefined) {
    Object.assign(environment, { HOME: user.home, USER: user.name, LOGNAME: user.name });
    delete environment.SHELL;
  }
  return { ...environment, ...given, TSSERVE_UPSTREAM: upstream, TSSERVE_INSTANCE: String(instance) };
}

/** "+NEW ~CHANGED -GONE": names only, values may be secrets. "" when nothing is different. */
export function describeEnvironmentChange(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string {
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  const changed = Object.keys(after).filter(
    (name) => Object.hasOwn(before, name) && before[name] !== after[name],
  );
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const mark = (sign: string, names: string[]) => names.map((name) => `${sign}${name}`);
  return [...mark('+', added), ...mark('~', changed), ...mark('-', gone)].join(' ');
}
