// What an instance serves its application with, whichever its interface is.

/** Serves one application on a unix socket. */
export interface ApplicationServer {
  /** Resolves when requests are taken. Rejects when the socket cannot be bound. */
  listen(socketPath: string): Promise<void>;
  /** Takes nothing new; resolves when nothing runs any more. */
  drain(): Promise<void>;
}
