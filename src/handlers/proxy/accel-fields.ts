// X-Accel-*: what an upstream that is trusted asks of us with its answer (the words are nginx's).

import { type Fields, isFieldName } from '../../message/fields.ts';

/** What one response asks for. Null: nothing said. */
export interface AccelOrders {
  /** Another URI of this site that is to answer, beginning with "/"; or what cannot be one. */
  readonly redirectTo: string | null;
  readonly buffering: boolean | null;
  /** Bytes a second; 0 for no limit. */
  readonly limitRate: number | null;
}

const carriedNames: ReadonlySet<string> = new Set(
  'content-type content-disposition accept-ranges set-cookie cache-control expires'.split(' '),
);

/** The orders among the fields of a response; null when there are none. */
export function readAccelOrders(fields: Fields): AccelOrders | null {
  let redirectTo: string | null = null;
  let buffering: boolean | null = null;
  let limitRate: number | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i];
    const value = fields[i + 1];
    if (isFieldName(name, 'x-accel-redirect')) redirectTo = value;
    else if (isFieldName(name, 'x-accel-buffering')) buffering = readSwitch(value) ?? buffering;
    else if (isFieldName(name, 'x-accel-limit-rate')) limitRate = readRate(value) ?? limitRate;
  }
  if (redirectTo === null && buffering === null && limitRate === null) return null;
  return { redirectTo, buffering, limitRate };
}

/** The fields of an answer that go with it to wherever it is redirected. */
export function pickCarriedFields(fields: Fields): Fields {
  const carried: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (carriedNames.has(fields[i].toLowerCase())) carried.push(fields[i], fields[i + 1]);
  }
  return carried;
}

function readSwitch(value: string): boolean | null {
  const lower = value.toLowerCase();
  return lower === 'yes' ? true : lower === 'no' ? false : null;
}

function readRate(value: string): number | null {
  if (value.toLowerCase() === 'off') return 0;
  return /^[0-9]{1,15}$/.test(value) ? Number(value) : null;
}
