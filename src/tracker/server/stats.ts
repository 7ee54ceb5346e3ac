// What a tracker counts about itself.

import type { SwarmTable } from './swarm-table.ts';

/** Counters since the start; plain numbers that the hot path adds to. */
export class TrackerCounters {
  httpAnnounces = 0;
  httpScrapes = 0;
  httpErrors = 0;
  httpConnections = 0;
  /** Connections closed because too many were open. */
  httpRefused = 0;
  udpConnects = 0;
  udpAnnounces = 0;
  udpScrapes = 0;
  udpErrors = 0;
}

/** The tracker now; also what `/stats` says. */
export interface TrackerStats {
  readonly uptimeS: number;
  readonly swarms: number;
  readonly peers: number;
  readonly seeds: number;
  readonly leeches: number;
  /** What the swarm table takes. */
  readonly memoryBytes: number;
  readonly http: {
    /** Open now. */
    readonly connections: number;
    readonly announces: number;
    readonly scrapes: number;
    /** Requests that were answered with an error or a failure reason. */
    readonly errors: number;
    readonly refusedConnections: number;
  };
  readonly udp: {
    readonly connects: number;
    readonly announces: number;
    readonly scrapes: number;
    readonly errors: number;
  };
}

export function trackerStats(table: SwarmTable, counters: TrackerCounters, uptimeS: number): TrackerStats {
  return {
    uptimeS: Math.floor(uptimeS),
    swarms: table.swarmCount,
    peers: table.peerCount,
    seeds: table.seedCount,
    leeches: table.peerCount - table.seedCount,
    memoryBytes: table.memoryBytes,
    http: {
      connections: counters.httpConnections,
      announces: counters.httpAnnounces,
      scrapes: counters.httpScrapes,
      errors: counters.httpErrors,
      refusedConnections: counters.httpRefused,
    },
    udp: {
      connects: counters.udpConnects,
      announces: counters.udpAnnounces,
      scrapes: counters.udpScrapes,
      errors: counters.udpErrors,
    },
  };
}
