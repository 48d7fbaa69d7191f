// The grammar of chunk extensions (RFC 9112 7.1.1), byte by byte. What they say is ignored; but what looks like one to
// us and like something else to another parser is how requests are smuggled, so they must at least be well formed.

import { fieldValueTable, tokenTable } from './character-tables.ts';

type State = 'name-start' | 'name' | 'value-start' | 'value' | 'quoted' | 'escape' | 'quoted-end';

const semicolon = 0x3b;
const equals = 0x3d;
const quote = 0x22;
const backslash = 0x5c;

/** Follows the extensions of one chunk, from behind the first ";". No white space between their parts is taken. */
export class ChunkExtensions {
  #state: State = 'name-start';

  /** Begins anew, behind a ";". */
  begin(): void {
    this.#state = 'name-start';
  }

  /** Whether the line may end here. */
  get mayEnd(): boolean {
    return this.#state === 'name' || this.#state === 'value' || this.#state === 'quoted-end';
  }

  /** Takes the next byte. Returns false when it cannot stand there. */
  take(byte: number): boolean {
    const next = this.#next(byte);
    if (next === null) return false;
    this.#state = next;
    return true;
  }

  #next(byte: number): State | null {
    const isToken = tokenTable[byte] === 1;
    switch (this.#state) {
      case 'name-start':
        return isToken ? 'name' : null;
      case 'name':
        if (byte === equals) return 'value-start';
        return isToken ? 'name' : afterPart(byte);
      case 'value-start':
        if (byte === quote) return 'quoted';
        return isToken ? 'value' : null;
      case 'value':
        return isToken ? 'value' : afterPart(byte);
      case 'quoted':
        if (byte === quote) return 'quoted-end';
        if (byte === backslash) return 'escape';
        return fieldValueTable[byte] === 1 ? 'quoted' : null;
      case 'escape':
        return fieldValueTable[byte] === 1 ? 'quoted' : null;
      default:
        return afterPart(byte);
    }
  }
}

function afterPart(byte: number): State | null {
  return byte === semicolon ? 'name-start' : null;
}
