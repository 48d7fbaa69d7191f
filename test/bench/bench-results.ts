// What a run of the bench comes to: plain data, written as JSON and rendered as tables and as docs/performance.md.

/** One run of the load generator against one server. */
export interface Sample {
  readonly requestsPerSecond: number;
  /** Requests served for each second of CPU time, user and system, of all processes of the server. */
  readonly requestsPerCpuSecond: number;
  /** CPU seconds of the server for each second of the run: near 1, its core was full. */
  readonly serverShare: number;
  /** How busy the core of the load generator and the upstream was, 0 to 1, whoever used it. */
  readonly loadShare: number;
  /** CPU seconds of the upstream for each second of the run; 0 where there is none. */
  readonly upstreamShare: number;
}

/** Samples by peer, one a round. */
export type SamplesByPeer = Readonly<Record<string, readonly Sample[]>>;

/** What it all ran on. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Versions of the peers and of the load generator, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** How it was measured. */
export interface RunFacts {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly rounds: number;
  /** Length of one run of the load generator. */
  readonly seconds: number;
  /** The Node of the machine was chosen with --node. */
  readonly isOtherNode: boolean;
  /** What the rows of proxied answers had behind them. */
  readonly upstream: string;
  /** Peers that were left out, each with the reason. */
  readonly missing: readonly string[];
  /** What failed, each in a line: figures that are missing, or have fewer rounds. */
  readonly problems: readonly string[];
}

/** A whole run. */
export interface BenchResults {
  readonly machine: MachineFacts;
  readonly run: RunFacts;
  /** By name of the kind. */
  readonly kinds: Readonly<Record<string, SamplesByPeer>>;
  /** By name of the item, then by label of the step. */
  readonly growth: Readonly<Record<string, Readonly<Record<string, SamplesByPeer>>>>;
  /** Values of each figure, by its name. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
}
