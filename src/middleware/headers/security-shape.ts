// The `security` setting: the fields that nearly every site wants. A Content-Security-Policy is a site's own to write.

import { z } from 'zod';
import { age } from './age-shape.ts';
import type { HeaderRules } from './header-rules.ts';

const policies = [
  ...(['no-referrer', 'no-referrer-when-downgrade', 'origin', 'origin-when-cross-origin'] as const),
  ...(['same-origin', 'strict-origin', 'strict-origin-when-cross-origin', 'unsafe-url'] as const),
] as const;

const hstsShape = z.strictObject({
  maxAge: age().prefault('1y').describe('How long browsers keep to TLS. Default "1y".'),
  includeSubdomains: z.boolean().prefault(false).describe('Whether subdomains do too. Default false.'),
  preload: z
    .boolean()
    .prefault(false)
    .describe('Whether the site may be built into browsers. Default false.'),
});

const settingsShape = z.strictObject({
  nosniff: z
    .boolean()
    .prefault(true)
    .describe('X-Content-Type-Options: browsers are not to guess types. Default true.'),
  referrer: z
    .union([z.literal(false), z.enum(policies)])
    .prefault('strict-origin-when-cross-origin')
    .describe('Referrer-Policy, or false. Default "strict-origin-when-cross-origin".'),
  frame: z
    .union([z.literal(false), z.enum(['deny', 'sameorigin'])])
    .prefault('sameorigin')
    .describe('X-Frame-Options: who may show pages in a frame, or false. Default "sameorigin".'),
  hsts: z
    .union([z.boolean(), hstsShape])
    .prefault(true)
    .transform((value) => (typeof value === 'boolean' ? value && hstsShape.parse({}) : value))
    .describe('Strict-Transport-Security, over TLS only; false for none. Default true: for a year.'),
});

/** true, false, or which of them. */
export const securityShape = z
  .union([z.boolean(), settingsShape])
  .transform((value) => toRules(typeof value === 'boolean' ? value && settingsShape.parse({}) : value));

/** Checked: the rules that it comes to. An application's own fields, and `headers`, come before them. */
export type SecuritySettings = z.output<typeof securityShape>;

function toRules(settings: z.output<typeof settingsShape> | false): HeaderRules {
  if (settings === false) return {};
  const { nosniff, referrer, frame, hsts } = settings;
  return {
    ...(nosniff ? { 'X-Content-Type-Options': { default: ['nosniff'] } } : {}),
    ...(referrer === false ? {} : { 'Referrer-Policy': { default: [referrer] } }),
    ...(frame === false ? {} : { 'X-Frame-Options': { default: [frame.toUpperCase()] } }),
    ...(hsts === false
      ? {}
      : { 'Strict-Transport-Security': { default: [renderHsts(hsts)], scheme: 'https' as const } }),
  };
}

function renderHsts({ maxAge, includeSubdomains, preload }: z.output<typeof hstsShape>): string {
  return [
    `max-age=${maxAge}`,
    ...(includeSubdomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ');
}
