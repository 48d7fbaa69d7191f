import { describe, expect, it } from 'vitest';
import { type LocationModifier, LocationTable } from '../../src/router/location-table.ts';

function compile(...paths: string[]): LocationTable<string> {
  return new LocationTable(
    paths.map((path) => {
      const [, modifier, value] = /^(=|\^~|~\*|~|)\s?(.*)$/.exec(path) as RegExpExecArray;
      return { modifier: modifier as LocationModifier, value, payload: path };
    }),
  );
}

describe('S1: the location of a path', () => {
  // The example of nginx's own manual for "location".
  const manual = compile('= /', '/', '/documents/', '^~ /images/', '~* \\.(gif|jpg|jpeg)$');
  it.each([
    ['/', '= /'],
    ['/index.html', '/'],
    ['/documents/document.html', '/documents/'],
    ['/images/1.gif', '^~ /images/'],
    ['/documents/1.jpg', '~* \\.(gif|jpg|jpeg)$'],
    ['/documents/1.JPG', '~* \\.(gif|jpg|jpeg)$'],
  ])("%s is %s in the manual's example", (path, location) => {
    expect(manual.match(path)).toBe(location);
  });

  it('does not depend on the order of prefixes, but on that of regular expressions', () => {
    for (const table of [compile('/', '/a/', '/a/b/'), compile('/a/b/', '/a/', '/')]) {
      expect(table.match('/a/b/c')).toBe('/a/b/');
      expect(table.match('/a/x')).toBe('/a/');
      expect(table.match('/a')).toBe('/');
    }
    expect(compile('~ ^/a', '~ ^/ab').match('/ab')).toBe('~ ^/a');
    expect(compile('~ ^/ab', '~ ^/a').match('/ab')).toBe('~ ^/ab');
  });

  it('is a regular expression also where only a shorter "^~" prefix would keep it away', () => {
    expect(compile('^~ /a/', '/a/b/', '~ c$').match('/a/b/c')).toBe('~ c$');
    expect(compile('^~ /a/b/', '/a/', '~ c$').match('/a/b/c')).toBe('^~ /a/b/');
  });

  it('tells letter cases apart unless it is "~*"', () => {
    expect(compile('~ \\.php$', '/').match('/x.PHP')).toBe('/');
    expect(compile('~* \\.php$', '/').match('/x.PHP')).toBe('~* \\.php$');
    expect(compile('= /A', '/').match('/a')).toBe('/');
  });

  it('is null when nothing matches', () => {
    expect(compile('/a/', '= /b', '~ ^/c').match('/d')).toBeNull();
    expect(compile().match('/')).toBeNull();
  });

  it('does not care about names that objects know', () => {
    expect(compile('= /x').match('/__proto__')).toBeNull();
    expect(compile('= /__proto__').match('/__proto__')).toBe('= /__proto__');
  });
});
