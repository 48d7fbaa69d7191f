// What may grow: connections, routes, files. Each is a row of steps; flat means flat.

/** One size of what grows. */
export interface GrowthStep {
  readonly label: string;
  /** Connections of the load generator. Default 64. */
  readonly connections?: number;
  /** Locations beside the one of the files. Default 0. */
  readonly routes?: number;
  /** Files in one folder. Default 10. */
  readonly files?: number;
}

/** Something that grows. */
export interface GrowthItem {
  readonly name: string;
  readonly title: string;
  /** Names of the peers that are measured. */
  readonly peers: readonly string[];
  /** What is asked for in turn: ten paths, spread over all there are. */
  readonly asks: 'files' | 'routes';
  readonly steps: readonly GrowthStep[];
  /** Label of the step that the others are compared with. */
  readonly reference: string;
}

/** Everything that grows, in the order of the table. */
export const growthItems: readonly GrowthItem[] = [
  {
    name: 'connections',
    title: 'connections',
    peers: ['tsserve', 'nginx'],
    asks: 'files',
    steps: [1, 64, 512, 4096].map((connections) => ({ label: String(connections), connections })),
    reference: '64',
  },
  {
    name: 'routes',
    title: 'routes',
    peers: ['tsserve'],
    asks: 'routes',
    steps: [10, 10_000].map((routes) => ({ label: String(routes), routes })),
    reference: '10',
  },
  {
    name: 'files',
    title: 'files',
    peers: ['tsserve', 'nginx'],
    asks: 'files',
    steps: [10, 100_000].map((files) => ({ label: String(files), files })),
    reference: '10',
  },
];
