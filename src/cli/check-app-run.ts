// Runs the program that checks an application, anew where the application has ended it, and gathers what it says.

import type { CheckOrder, Finding, FromCheck, RuleId } from '../base/check-messages.ts';
import { parseCheckMessage } from '../base/check-messages.ts';
import { ChildProgram } from '../process/child-program.ts';
import { chooseBeatMs, Heartbeat } from '../process/heartbeat.ts';
import { createInstanceEnvironment } from '../process/instance-environment.ts';
import { LineSplitter } from '../process/line-splitter.ts';
import { SocketFolder } from '../process/socket-folder.ts';

/** What to check, and how. */
export interface CheckOptions {
  /** Absolute path of the module. */
  readonly file: string;
  readonly interface: 'fetch' | 'node';
  readonly paths: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** A line that the application wrote to its output. */
  readonly onLine: (line: string) => void;
}

/** What came of it. */
export interface CheckResult {
  /** Why the application does not load; null when it does. */
  readonly refusal: string | null;
  /** Rules that came to matter. */
  readonly kept: ReadonlySet<RuleId>;
  readonly findings: readonly Finding[];
  readonly requests: number;
  /** It ended its process again and again: not everything was asked. */
  readonly isIncomplete: boolean;
}

const entry = new URL('../app-host/validate-main.js', import.meta.url);
const upstream = 'app';
/** Deaths after which nothing more is asked. */
const maxDeaths = 5;

/** One check. */
export class AppCheck {
  readonly #options: CheckOptions;
  readonly #folder = new SocketFolder();
  readonly #kept = new Set<RuleId>();
  readonly #findings: Finding[] = [];
  #requests = 0;
  #step = -1;
  #occasion = '';
  #refusal: string | null = null;
  #isDone = false;
  #program: ChildProgram | null = null;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  /** Resolves when everything was asked, or the application does not load. */
  async run(): Promise<CheckResult> {
    let deaths = 0;
    try {
      while (!this.#isOver() && deaths < maxDeaths) {
        await this.#runProgram(this.#step + 1);
        if (!this.#isOver()) deaths++;
      }
    } finally {
      this.#folder.remove();
    }
    return {
      refusal: this.#refusal,
      kept: this.#kept,
      findings: this.#findings,
      requests: this.#requests,
      isIncomplete: !this.#isOver(),
    };
  }

  /** Ends it at once, without a result. */
  stop(): void {
    this.#program?.kill();
    this.#folder.remove();
  }

  #isOver(): boolean {
    return this.#isDone || this.#refusal !== null;
  }

  /** Resolves when the process is gone. */
  #runProgram(fromStep: number): Promise<void> {
    const { file, paths, env, cwd, timeoutMs, onLine } = this.#options;
    const beatMs = chooseBeatMs(timeoutMs);
    return new Promise((resolve) => {
      let heartbeat: Heartbeat | null = null;
      let isHung = false;
      const kill = (): void => {
        isHung = true;
        program.kill();
      };
      const startTimer = setTimeout(kill, timeoutMs);
      const splitters = { stdout: new LineSplitter(onLine), stderr: new LineSplitter(onLine) };
      const program = new ChildProgram({
        entry,
        environment: createInstanceEnvironment(process.env, env, upstream, 1),
        cwd,
        onOutput: (stream, bytes) => {
          if (bytes === null) splitters[stream].end();
          else splitters[stream].push(bytes);
        },
        onMessage: (received) => {
          const message = parseCheckMessage(received);
          if (message === null) return;
          heartbeat?.note();
          if (message.type === 'loaded') {
            clearTimeout(startTimer);
            heartbeat ??= new Heartbeat(timeoutMs, kill);
          }
          this.#take(message);
        },
        onExit: (description) => {
          clearTimeout(startTimer);
          if (!this.#isOver()) this.#explainEnd(description, isHung, heartbeat !== null);
          heartbeat?.stop();
          resolve();
        },
      });
      this.#program = program;
      const order: CheckOrder = {
        type: 'check',
        file,
        interface: this.#options.interface,
        socketPath: this.#folder.createPath(upstream),
        paths,
        fromStep,
        timeoutMs,
        beatMs,
      };
      program.send(order);
    });
  }

  #take(message: FromCheck): void {
    if (message.type === 'kept') this.#kept.add(message.rule);
    else if (message.type === 'finding') this.#findings.push(message.finding);
    else if (message.type === 'done') this.#isDone = true;
    else if (message.type === 'refused') this.#refusal ??= message.report;
    else if (message.type === 'step') {
      this.#step = message.step;
      this.#occasion = message.occasion;
      this.#requests += message.requests;
    }
  }

  /** The process is gone before its end. */
  #explainEnd(description: string, isHung: boolean, isLoaded: boolean): void {
    const { file, timeoutMs } = this.#options;
    const seconds = `${timeoutMs / 1000} s`;
    if (!isLoaded) {
      this.#refusal = isHung
        ? `${file}: G8: the application was not ready within ${seconds} (--timeout gives it more)`
        : `${file}: the process ${description} before the application was ready`;
      return;
    }
    const occasion = this.#occasion;
    if (isHung) {
      const detail = `its event loop was blocked for ${seconds}: an instance would be killed`;
      this.#findings.push({ rule: 'G40', level: 'broken', occasion, detail });
    } else {
      this.#findings.push({ rule: 'G52', level: 'broken', occasion, detail: `the process ${description}` });
    }
    // Nothing is left to be asked.
    if (occasion === 'the end') this.#isDone = true;
  }
}
