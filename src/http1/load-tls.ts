// Loads Node's TLS when a connection first needs it: most sites never do, and it costs a start five milliseconds.

/** The module `node:tls`. */
export function loadTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls');
}
