// What a tracker counts about itself.

import type { SwarmTable } from '../table/swarm-table.ts';
import { FaultCounters } from './faults.ts';

/** Counters since the start, of one thread; plain numbers that the hot path adds to. */
export class TrackerCounters {
  readonly faults: FaultCounters = new FaultCounters();
  httpAnnounces = 0;
  httpScrapes = 0;
  httpErrors = 0;
  httpConnections = 0;
  /** Connections closed because too many were open. */
  httpRefused = 0;
  httpBytesIn = 0;
  httpBytesOut = 0;
  udpConnects = 0;
  udpAnnounces = 0;
  udpScrapes = 0;
  udpErrors = 0;
  udpBytesIn = 0;
  udpBytesOut = 0;
  wsAnnounces = 0;
  wsScrapes = 0;
  /** Offers and answers of peers that were passed on to others. */
  wsOffers = 0;
  wsAnswers = 0;
  wsErrors = 0;
  wsConnections = 0;
  /** What they hold now; see {@link WebMemory}. */
  wsHeldBytes = 0;
  wsBytesIn = 0;
  wsBytesOut = 0;
}

/** What the whole process costs. */
export interface ProcessStats {
  readonly rssBytes: number;
  /** In use by objects, over all threads. */
  readonly heapBytes: number;
  /** Processor time since the start. */
  readonly cpuS: number;
  /** How late the event loop was in the last ten seconds, 99th percentile; of several threads the worst. */
  readonly loopDelayP99Ms: number;
}

/** The tracker now, over all threads; also what `/stats` says. */
export interface TrackerStats {
  readonly uptimeS: number;
  /** Threads that serve. */
  readonly threads: number;
  /** Seconds that clients are told to wait between announces: longer than was set while there is too much to do. */
  readonly intervalS: number;
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
  readonly ws: {
    /** Open now. */
    readonly connections: number;
    /** Messages under way, what waits to be read, lists of swarms: what they hold now. */
    readonly heldBytes: number;
    readonly announces: number;
    readonly scrapes: number;
    /** Passed on to other peers. */
    readonly offers: number;
    readonly answers: number;
    readonly errors: number;
  };
  /** Payload of the protocols, without what lies below: headers of IP and TCP, TLS. Pages and API left out. */
  readonly bytes: {
    readonly httpIn: number;
    readonly httpOut: number;
    readonly udpIn: number;
    readonly udpOut: number;
    readonly wsIn: number;
    readonly wsOut: number;
  };
  readonly faults: Readonly<FaultCounters>;
  /** Null where nobody measures it. */
  readonly process: ProcessStats | null;
  /** Whether torrents can be searched and published here. */
  readonly catalogue: boolean;
  /** The store that several trackers share; null: there is none. While it is away they answer from what they know. */
  readonly store: 'up' | 'away' | null;
}

/** What is no count since the start. */
export type GaugeStats = Pick<TrackerStats, 'threads' | 'intervalS' | 'process' | 'store'>;

export interface StatsSources {
  readonly table: SwarmTable;
  /** Of all threads. */
  readonly total: TrackerCounters;
  readonly gauges: GaugeStats;
  readonly uptimeS: number;
  readonly hasCatalogue: boolean;
}

export function trackerStats({ table, total, gauges, uptimeS, hasCatalogue }: StatsSources): TrackerStats {
  return {
    uptimeS: Math.floor(uptimeS),
    threads: gauges.threads,
    intervalS: gauges.intervalS,
    swarms: table.swarmCount,
    peers: table.peerCount,
    seeds: table.seedCount,
    leeches: table.peerCount - table.seedCount,
    memoryBytes: table.memoryBytes,
    http: {
      connections: total.httpConnections,
      announces: total.httpAnnounces,
      scrapes: total.httpScrapes,
      errors: total.httpErrors,
      refusedConnections: total.httpRefused,
    },
    udp: {
      connects: total.udpConnects,
      announces: total.udpAnnounces,
      scrapes: total.udpScrapes,
      errors: total.udpErrors,
    },
    ws: {
      connections: total.wsConnections,
      heldBytes: total.wsHeldBytes,
      announces: total.wsAnnounces,
      scrapes: total.wsScrapes,
      offers: total.wsOffers,
      answers: total.wsAnswers,
      errors: total.wsErrors,
    },
    bytes: {
      httpIn: total.httpBytesIn,
      httpOut: total.httpBytesOut,
      udpIn: total.udpBytesIn,
      udpOut: total.udpBytesOut,
      wsIn: total.wsBytesIn,
      wsOut: total.wsBytesOut,
    },
    faults: total.faults,
    process: gauges.process,
    catalogue: hasCatalogue,
    store: gauges.store,
  };
}
