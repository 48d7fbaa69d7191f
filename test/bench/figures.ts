// Figures of our server alone: how fast it starts, how much memory it takes. Each is a row.

import { measureIdleConnections, measureIdleMemory, measureStartUp } from './measure-figures.ts';
import { measureInstanceCost, measureInstanceMemory, measureInstanceStart } from './measure-instances.ts';

/** One figure. */
export interface BenchFigure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  /** The most it may come to. */
  readonly atMost: number;
  /** How often it is measured; a quick run measures fewer. */
  readonly times: number;
  /** Measures once. `node`: path of the Node that the server runs on. */
  measure(node: string): Promise<number>;
}

/** Every figure, in the order of the table. */
export const benchFigures: readonly BenchFigure[] = [
  {
    name: 'start-up',
    title: 'start-up of the whole server to its first answer',
    unit: 'ms',
    atMost: 400,
    times: 10,
    measure: measureStartUp,
  },
  {
    name: 'idle-memory',
    title: 'resident memory of a front worker that idles',
    unit: 'MiB',
    atMost: 90,
    times: 3,
    measure: measureIdleMemory,
  },
  {
    name: 'idle-connection',
    title: 'resident memory of a front worker for each of 10,000 idle keep-alive connections',
    unit: 'KiB',
    atMost: 12,
    times: 1,
    measure: measureIdleConnections,
  },
  {
    name: 'instance-start',
    title: 'start of an instance with a plain function until it is ready',
    unit: 'ms',
    atMost: 250,
    times: 10,
    measure: measureInstanceStart,
  },
  {
    name: 'instance-cost',
    title: 'memory of each of ten instances that idle, shared pages counted once',
    unit: 'MiB',
    atMost: 60,
    times: 3,
    measure: measureInstanceCost,
  },
  {
    name: 'instance-memory',
    title: 'resident memory of each of ten instances that idle',
    unit: 'MiB',
    atMost: 60,
    times: 3,
    measure: measureInstanceMemory,
  },
];
