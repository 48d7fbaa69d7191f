// Reads the notation of the corpus: what is sent stands in the file as text, with every CR and LF written out and the
// file's own line ends ignored. README.md beside this file explains the notation to whoever adds a case.

/** One step of a conversation: bytes to send, or something to do between them. */
export type Step =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** Waits until the other side has sent something since the last step. */
  | { readonly kind: 'await' }
  /** Waits a moment, so that what comes next comes by itself. */
  | { readonly kind: 'pause' }
  /** Says that nothing more will be sent. */
  | { readonly kind: 'end' };

const simpleEscapes: Record<string, string> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' };

/** Decodes the text of a corpus file (latin1). Throws an Error at an escape that is none. */
export function decodeSteps(text: string): Step[] {
  const steps: Step[] = [];
  let bytes = '';
  const flush = (): void => {
    if (bytes !== '') steps.push({ kind: 'bytes', bytes: Buffer.from(bytes, 'latin1') });
    bytes = '';
  };
  for (const match of text
    .replace(/[\r\n]/g, '')
    .matchAll(/\\\{([^}]*)\}|\\x([0-9a-f]{2})|\\(.?)|[^\\]+/gis)) {
    const [whole, command, hex, letter] = match;
    if (hex !== undefined) bytes += String.fromCharCode(Number.parseInt(hex, 16));
    else if (letter !== undefined) bytes += decodeEscape(letter);
    else if (command === undefined) bytes += whole;
    else if (command === 'await' || command === 'pause' || command === 'end') {
      flush();
      steps.push({ kind: command });
    } else bytes += decodeRepeat(command);
  }
  flush();
  return steps;
}

/** Decodes a text that holds bytes alone, such as an expected body. */
export function decodeBytes(text: string): Buffer {
  const steps = decodeSteps(text);
  return Buffer.concat(
    steps.map((step) => {
      if (step.kind !== 'bytes') throw new Error(`\\{${step.kind}} has no place here`);
      return step.bytes;
    }),
  );
}

function decodeEscape(letter: string): string {
  const character = Object.hasOwn(simpleEscapes, letter) ? simpleEscapes[letter] : undefined;
  if (character === undefined) throw new Error(`\\${letter} is no escape`);
  return character;
}

function decodeRepeat(command: string): string {
  const match = /^repeat (\d+) (.+)$/s.exec(command);
  if (match === null) throw new Error(`\\{${command}} is no command`);
  return decodeBytes(match[2]).toString('latin1').repeat(Number(match[1]));
}
