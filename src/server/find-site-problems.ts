// What no single shape can see: names that refer to nothing, and entries that another one makes useless. Works on
// the values as written, so that it finds everything even where other parts of the config are wrong.

import type { ConfigDocument } from '../config/config-document.ts';
import type { ConfigProblem } from '../config/config-error.ts';
import { getValueAt, type SettingPath } from '../config/setting-path.ts';
import { parseInDirectory } from '../config/shape/base-directory.ts';
import { suggestName } from '../config/suggest-name.ts';
import { type ListenAddress, listenShape } from '../listener/listener-shape.ts';
import { findSocketProblem, hasHeadSender, isOverlapping } from './find-listen-problem.ts';
import { isRegexPath, parsePathText } from './path-shape.ts';
import { serverNameShape } from './server-name-shape.ts';
import { answeringShapes, routeShape } from './site-shape.ts';
import { standardListen } from './to-site-settings.ts';

/** The problems that lie between the parts of a config. Values of a wrong kind are passed over: shapes report them. */
export function findSiteProblems(document: ConfigDocument): ConfigProblem[] {
  if (!isObject(document.value)) return [];
  const finder = new SiteProblems(document, document.value);
  const servers = document.value.servers;
  if (Array.isArray(servers)) {
    finder.checkLevels(document.value);
    for (const [i, server] of servers.entries())
      if (isObject(server)) finder.checkServer(server, ['servers', i]);
    finder.checkSharedPages(document.value.errorPages, servers);
  } else {
    if (servers === undefined) finder.checkRoutesPresent(document.value);
    finder.checkServer(document.value, []);
  }
  return finder.problems;
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

class SiteProblems {
  readonly problems: ConfigProblem[] = [];
  readonly #document: ConfigDocument;
  readonly #upstreams: readonly string[] | null;
  readonly #hasHeadSender: boolean;
  /** Those whose servers speak FastCGI, uwsgi or SCGI. */
  readonly #cgiUpstreams: readonly string[];
  /** Who took a name, or the role of the default, on an address. */
  readonly #takenNames = new Map<string, SettingPath>();
  /** Every address that some server listens on, by key, with the first place where it stands. */
  readonly #addresses = new Map<string, { address: ListenAddress; place: SettingPath }>();

  constructor(document: ConfigDocument, site: JsonObject) {
    this.#document = document;
    this.#hasHeadSender = hasHeadSender(site.trustedProxies);
    const upstreams = site.upstreams ?? {};
    this.#upstreams = isObject(upstreams) ? Object.keys(upstreams) : null;
    this.#cgiUpstreams = isObject(upstreams)
      ? Object.keys(upstreams).filter((name) => isCgiUpstream(upstreams[name]))
      : [];
  }

  /** With `servers`, what a single server has at the top would be nobody's. */
  checkLevels(site: JsonObject): void {
    for (const key of ['listen', 'routes'] as const) {
      if (site[key] === undefined) continue;
      const problem = `"${key}" at the top and "servers" exclude each other`;
      this.#report([key], problem, `move "${key}" into one of the servers`, 'key');
    }
  }

  checkRoutesPresent(site: JsonObject): void {
    if (site.routes !== undefined || Object.keys(site).some((key) => isMistyped(key, ['routes', 'servers'])))
      return;
    this.#report(
      [],
      'missing key "routes"',
      'what answers requests, such as [{ "path": "/", "static": "public" }]',
    );
  }

  checkServer(server: JsonObject, path: SettingPath): void {
    const { routes, errorPages } = server;
    if (Array.isArray(routes)) {
      this.#checkRoutes(routes, [...path, 'routes']);
      this.#checkErrorPages(errorPages, routes, [...path, 'errorPages']);
    }
    const listenKeys = this.#checkListen(server.listen ?? standardListen.port, [...path, 'listen']);
    if (path.length === 0) return;
    this.#checkNames(server, path, listenKeys);
    if (server.default !== true) return;
    for (const key of listenKeys) {
      const isFree = this.#take(`${key} default`, [...path, 'default']);
      if (isFree !== null)
        this.#report([...path, 'default'], `another server is the default of ${key}`, isFree);
    }
  }

  /** Pages of the top hold for all servers that have none of their own for a status: each needs the route. */
  checkSharedPages(pages: unknown, servers: readonly unknown[]): void {
    if (!isObject(pages)) return;
    for (const server of servers) {
      if (!isObject(server) || !Array.isArray(server.routes)) continue;
      const own = isObject(server.errorPages) ? server.errorPages : {};
      const shared = Object.entries(pages).filter(([key]) => !Object.hasOwn(own, key));
      const before = this.problems.length;
      this.#checkErrorPages(Object.fromEntries(shared), server.routes, ['errorPages']);
      // Said once, it is clear enough.
      if (this.problems.length > before) return;
    }
  }

  #report(path: SettingPath, problem: string, hint: string, part: 'value' | 'key' = 'value'): void {
    this.problems.push(this.#document.createProblem(path, problem, hint, part));
  }

  /** Takes something that only one may have: null, or a hint at who has it already. */
  #take(key: string, path: SettingPath, taken: Map<string, SettingPath> = this.#takenNames): string | null {
    const first = taken.get(key);
    if (first === undefined) {
      taken.set(key, path);
      return null;
    }
    return `the first ${this.#tellPlace(first)}`;
  }

  #tellPlace(path: SettingPath): string {
    const { line, at } = this.#document.createProblem(path, '');
    return line > 0 ? `is in line ${line}` : `is ${at}`;
  }

  #checkListen(listen: unknown, path: SettingPath): string[] {
    const addresses = parseInDirectory(this.#document.directory, () =>
      (Array.isArray(listen) ? listen : [listen]).map((one) => listenShape.safeParse(one)),
    );
    const keys = new Map<string, SettingPath>();
    for (const [i, address] of addresses.entries()) {
      if (!address.success) continue;
      for (const one of address.data) {
        const place = Array.isArray(listen) ? [...path, i] : path;
        const first = this.#take(one.key, place, keys);
        if (first !== null) this.#report(place, `this server listens on ${one.key} already`, first);
        else this.#checkAddress(one, place);
      }
    }
    return [...keys.keys()];
  }

  #checkAddress(address: ListenAddress, place: SettingPath): void {
    this.#checkHeads(address, place);
    if (this.#addresses.has(address.key)) return;
    const problem = findSocketProblem(address);
    if (problem !== null) this.#report(place, problem, '');
    const other = [...this.#addresses.values()].find((known) => isOverlapping(known.address, address));
    if (other !== undefined) {
      const clash = `${address.key} and ${other.address.key} overlap: only one of them can be listened on`;
      const everywhere = `the other ${this.#tellPlace(other.place)}; ${address.port} alone is every address, IPv4 and IPv6`;
      this.#report(place, clash, everywhere);
    }
    this.#addresses.set(address.key, { address, place });
  }

  /** The PROXY protocol is a matter of the socket, and of those who may say whose connection it is. */
  #checkHeads({ key, proxyProtocol }: ListenAddress, place: SettingPath): void {
    const first = this.#addresses.get(key);
    if (first !== undefined) {
      if (first.address.proxyProtocol === proxyProtocol) return;
      const problem = `another server on ${key} has another "proxyProtocol"`;
      this.#report(place, problem, `the first ${this.#tellPlace(first.place)}`);
    } else if (proxyProtocol === true && !this.#hasHeadSender) {
      const problem = '"proxyProtocol" needs "trustedProxies": nobody could connect';
      this.#report(
        [...place, 'proxyProtocol'],
        problem,
        'the addresses of your proxies, such as ["10.0.0.0/8"]',
      );
    }
  }

  #checkNames(server: JsonObject, path: SettingPath, listenKeys: readonly string[]): void {
    const own = new Map<string, SettingPath>();
    for (const { written, place } of listNames(server.names, path)) {
      const name = serverNameShape.safeParse(written);
      if (!name.success) continue;
      const twice = this.#take(name.data, place, own);
      if (twice !== null)
        this.#report(place, `this server has the name ${JSON.stringify(name.data)} already`, twice);
      else for (const key of listenKeys) this.#takeName(key, name.data, place);
    }
  }

  #takeName(listenKey: string, name: string, place: SettingPath): void {
    const first = this.#take(`${listenKey} name ${name}`, place);
    if (first === null) return;
    const what = name === '' ? 'without a name' : `of the name ${JSON.stringify(name)}`;
    this.#report(place, `another server ${what} listens on ${listenKey}: this one is never reached`, first);
  }

  #checkRoutes(routes: readonly unknown[], path: SettingPath): void {
    const taken = new Map<string, SettingPath>();
    for (const [i, route] of routes.entries()) {
      if (!isObject(route)) continue;
      const place = [...path, i];
      this.#checkAnswer(route, place);
      this.#checkProxy(route.proxy, [...place, 'proxy']);
      this.#checkUpstream(route.cgi, [...place, 'cgi'], true);
      this.#checkTryFiles(getValueAt(route, ['static', 'tryFiles']), routes, [
        ...place,
        'static',
        'tryFiles',
      ]);
      this.#checkErrorPages(route.errorPages, routes, [...place, 'errorPages']);
      if (typeof route.path !== 'string') continue;
      const parsed = parsePathText(route.path);
      // A prefix is one location whether or not it keeps regular expressions away.
      const kind = parsed.modifier === '^~' ? '' : parsed.modifier;
      const first = this.#take(`${kind} ${parsed.value}`, [...place, 'path'], taken);
      if (first === null) continue;
      const thing = isRegexPath(parsed) ? 'regular expression' : 'path';
      this.#report([...place, 'path'], `another route has this ${thing}: this one is never reached`, first);
    }
  }

  /** The named route that tryFiles ends with must be one of the same server's. */
  #checkTryFiles(tryFiles: unknown, routes: readonly unknown[], path: SettingPath): void {
    if (Array.isArray(tryFiles)) this.#checkNamed(tryFiles.at(-1), routes, [...path, tryFiles.length - 1]);
  }

  /** So must be those that are pages for errors. */
  #checkErrorPages(pages: unknown, routes: readonly unknown[], path: SettingPath): void {
    if (!isObject(pages)) return;
    for (const [key, page] of Object.entries(pages)) {
      if (isObject(page)) this.#checkNamed(page.to, routes, [...path, key, 'to']);
      else this.#checkNamed(page, routes, [...path, key]);
    }
  }

  #checkNamed(end: unknown, routes: readonly unknown[], path: SettingPath): void {
    if (typeof end !== 'string' || !end.startsWith('@')) return;
    const names = routes
      .map((route) => (isObject(route) ? route.path : null))
      .filter((name): name is string => typeof name === 'string' && name.startsWith('@'));
    if (names.includes(end)) return;
    const near = suggestName(end, names);
    const hint =
      near === null ? `add a route with "path": ${JSON.stringify(end)}` : `did you mean "${near}"?`;
    this.#report(path, `there is no route ${JSON.stringify(end)}`, hint);
  }

  #checkAnswer(route: JsonObject, path: SettingPath): void {
    const answers = Object.keys(answeringShapes);
    const given = Object.keys(route).filter((key) => answers.includes(key));
    for (const key of given.slice(1))
      this.#report(
        [...path, key],
        `a route has one answer, but found "${given[0]}" and "${key}"`,
        'remove one',
        'key',
      );
    const isElsewhere = Object.keys(route).some(
      (key) => !Object.hasOwn(routeShape.shape, key) && isMistyped(key, answers),
    );
    if (given.length > 0 || isElsewhere) return;
    const listed = answers.map((key) => `"${key}"`).join(', ');
    this.#report(path, 'this route has no answer', `give it one of ${listed}`);
  }

  #checkProxy(proxy: unknown, path: SettingPath): void {
    this.#checkUpstream(proxy, path, false);
    if (!isObject(proxy)) return;
    const shares = getValueAt(proxy, ['split', 'to']);
    for (const [i, share] of (Array.isArray(shares) ? shares : []).entries())
      if (isObject(share)) this.#checkUpstream(share, [...path, 'split', 'to', i], false);
    if (isObject(proxy.mirror)) this.#checkUpstream(proxy.mirror, [...path, 'mirror'], false);
  }

  /** The upstream that an answer names: it must be there, and speak what the answer speaks. */
  #checkUpstream(answer: unknown, path: SettingPath, isCgi: boolean): void {
    const isShort = typeof answer === 'string';
    const name = isShort ? answer : getValueAt(answer, ['upstream']);
    if (typeof name !== 'string' || this.#upstreams === null) return;
    const place = isShort ? path : [...path, 'upstream'];
    const quoted = JSON.stringify(name);
    if (!this.#upstreams.includes(name)) {
      this.#report(place, `there is no upstream ${quoted}`, this.#suggestUpstream(name));
    } else if (this.#cgiUpstreams.includes(name) !== isCgi) {
      this.#report(
        place,
        isCgi ? `upstream ${quoted} speaks HTTP` : `upstream ${quoted} does not speak HTTP`,
        isCgi ? 'write "proxy" in place of "cgi"' : 'write "cgi" in place of "proxy"',
      );
    }
  }

  #suggestUpstream(name: string): string {
    if (/^[a-z]+:\/\/|^unix:|:\d+$/.test(name))
      return `name it: "upstreams": { "backend": { "servers": [${JSON.stringify(name)}] } }`;
    const known = this.#upstreams ?? [];
    const near = suggestName(name, known);
    if (near !== null) return `did you mean "${near}"?`;
    return known.length === 0 ? 'add it to "upstreams"' : `known upstreams: ${known.join(', ')}`;
  }
}

function isCgiUpstream(upstream: unknown): boolean {
  const servers = isObject(upstream) ? upstream.servers : null;
  if (!Array.isArray(servers)) return false;
  return servers
    .map((server) => (isObject(server) ? server.url : server))
    .some((url) => typeof url === 'string' && /^(?:fastcgi|uwsgi|scgi):\/\//i.test(url));
}

function isMistyped(key: string, candidates: readonly string[]): boolean {
  return suggestName(key, candidates) !== null;
}

/** The names of a server with their places. One without names has the empty one, as in nginx. */
function listNames(names: unknown, path: SettingPath): { written: unknown; place: SettingPath }[] {
  if (!Array.isArray(names) && names !== undefined) return [{ written: names, place: [...path, 'names'] }];
  if (names === undefined || names.length === 0) return [{ written: '', place: path }];
  return names.map((written, i) => ({ written, place: [...path, 'names', i] }));
}
