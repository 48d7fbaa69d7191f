// What a front worker and an application instance say to each other over one connection: frames, each for one of the
// requests under way. 4 bytes length of the payload, 1 byte type, 4 bytes number of the request; all big-endian.

/** Bytes before each payload. */
export const frameHeaderBytes = 9;

/** What a frame is. Whatever is sent for a request that is over is ignored. */
export const frameTypes = {
  /** Front: a request without content; the payload is its head, latin1, without the empty line. */
  request: 1,
  /** Front: nobody waits for the answer any more. */
  cancel: 2,
  /** Front: so many more bytes of the body may come (4 bytes). */
  credit: 3,
  /** Instance: {@link ResponseStart}. */
  response: 4,
  /** Instance: bytes of the body. */
  data: 5,
  /** Instance: the body is complete. */
  end: 6,
  /** Instance: the body cannot be completed. */
  broken: 7,
  /** Instance: no further request is wanted. Belongs to no request (0). */
  leaving: 8,
} as const;

/** One of {@link frameTypes}. */
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** Longest payload: the longest head that an instance takes, and what surrounds it. */
export const maxPayloadBytes = 8 * 1024 * 1024;

/** Bytes of a body that may be under way before the first credit, and so the most that a slow client makes us hold. */
export const initialCredit = 256 * 1024;

/** Bytes that were taken up before a credit tells of them: most bodies need none. */
export const creditStepBytes = 64 * 1024;

/** Bytes of a body in one frame. */
export const maxDataBytes = 64 * 1024;

/**
 * Bodies up to so many bytes come with the head of the response. Longer ones would have to be copied on their way:
 * measured with 60 KB, half as much CPU time again.
 */
export const maxWholeBytes = 16 * 1024;

/** How an answer begins: 2 bytes status, 1 byte flags, 8 bytes length (a double), 4 bytes length of the field lines. */
export interface ResponseStart {
  /** 200 to 599. */
  readonly status: number;
  /** Whether nothing follows: the body, if there is one, stands behind the field lines. */
  readonly complete: boolean;
  /** Length of the body; of the one that was not sent after HEAD and with 304. Null when only its end will tell. */
  readonly length: number | null;
  /** Field lines, latin1, each with its CRLF. */
  readonly fieldLines: string;
}

/** Bytes before the field lines of a response. */
export const responseStartBytes = 15;

const completeFlag = 1;
const lengthFlag = 2;

/** Writes the beginning of an answer to `at`. */
export function writeResponseStart(to: Buffer, at: number, start: ResponseStart): void {
  to.writeUInt16BE(start.status, at);
  to[at + 2] = (start.complete ? completeFlag : 0) | (start.length === null ? 0 : lengthFlag);
  to.writeDoubleBE(start.length ?? 0, at + 3);
  to.writeUInt32BE(start.fieldLines.length, at + 11);
  to.write(start.fieldLines, at + responseStartBytes, 'latin1');
}

/** Reads the beginning of an answer; null when it is none. */
export function readResponseStart(payload: Buffer): ResponseStart | null {
  if (payload.length < responseStartBytes) return null;
  const end = responseStartBytes + payload.readUInt32BE(11);
  const length = payload.readDoubleBE(3);
  const status = payload.readUInt16BE(0);
  if (end > payload.length || !Number.isSafeInteger(length) || length < 0) return null;
  if (status < 200 || status > 599) return null;
  return {
    status,
    complete: (payload[2] & completeFlag) !== 0,
    length: (payload[2] & lengthFlag) === 0 ? null : length,
    fieldLines: payload.toString('latin1', responseStartBytes, end),
  };
}
