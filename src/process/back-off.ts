// How long to wait before a program that ended is started again: not at all after a long healthy life, longer and
// longer after quick deaths.

/** Milliseconds. */
export interface BackOffSettings {
  /** A life this long makes good for all earlier deaths. */
  readonly healthyMs: number;
  /** A life shorter than this is a crash. */
  readonly crashMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/** Counts quick deaths of one program in a row. */
export class BackOff {
  readonly #settings: BackOffSettings;
  #quickDeaths = 0;
  #crashes = 0;

  constructor(settings: BackOffSettings) {
    this.#settings = settings;
  }

  /** Crashes in a row. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Milliseconds to wait after a death. @param livedMs how long the program did its work; 0 if it never got to */
  addDeath(livedMs: number): number {
    const { healthyMs, crashMs, firstDelayMs, longestDelayMs } = this.#settings;
    this.#crashes = livedMs < crashMs ? this.#crashes + 1 : 0;
    if (livedMs >= healthyMs) {
      this.#quickDeaths = 0;
      return 0;
    }
    const delayMs = firstDelayMs * 2 ** this.#quickDeaths;
    this.#quickDeaths++;
    return Math.min(delayMs, longestDelayMs);
  }
}
