import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAttachment } from '../../src/message/content-disposition.ts';

describe('toAttachment', () => {
  it.each([
    ['report.pdf', 'attachment; filename="report.pdf"'],
    ['my report (1).pdf', 'attachment; filename="my report (1).pdf"'],
    ['a"b.txt', `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`],
    ['50%.txt', `attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt`],
    ['naïve.txt', `attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt`],
    ['報告.pdf', `attachment; filename="__.pdf"; filename*=UTF-8''%E5%A0%B1%E5%91%8A.pdf`],
    ['😀.png', `attachment; filename="_.png"; filename*=UTF-8''%F0%9F%98%80.png`],
    ['latin\udce9.txt', `attachment; filename="latin_.txt"; filename*=UTF-8''latin%EF%BF%BD.txt`],
    ["it's.txt", `attachment; filename="it's.txt"`],
  ])('%j', (name, expected) => {
    expect(toAttachment(name)).toBe(expected);
  });

  it('V11: gives a safe field value for any name, and the name back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const value = toAttachment(name);
        if (!/^attachment; filename="[^"\\%]*"(; filename\*=UTF-8''[!-~]*)?$/.test(value)) return false;
        const [, exact] = value.split("*=UTF-8''");
        return exact === undefined ? value.includes(name) : decodeURIComponent(exact) === name;
      }),
    );
  });
});
