// How bodies are buffered: the settings that a worker needs without what checks a config.

/** Sizes in bytes. */
export interface BufferSettings {
  /** Most of one body that is held in memory. */
  readonly memory: number;
  /** Most bytes of all bodies of a route in files, in one process; 0 for no files. */
  readonly disk: number;
  /** Where the files are; null for the system's folder for them. */
  readonly folder: string | null;
}

/** What `true` stands for. */
export const standardBuffer: BufferSettings = { memory: 64 * 1024, disk: 1024 ** 3, folder: null };
