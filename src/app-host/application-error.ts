// What keeps a module from being an application.

/** A module that is no application. The message is for whoever wrote it: no stack needed. */
export class ApplicationError extends Error {
  override readonly name = 'ApplicationError';
}
