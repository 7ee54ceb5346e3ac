// Swarms that several trackers share. A tracker answers from its own table; what it heard it tells the store, and what
// others told it asks back, one swarm at a time, both in one step.

/** Changes of one exchange at most: a step of the store takes a millisecond, not more. */
export const MAX_EXCHANGED_CHANGES = 512;

export interface SwarmExchange {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  /** Up to {@link MAX_EXCHANGED_CHANGES} records of `tracker/protocol/swarm-changes.ts`; each peer once. */
  readonly changes: Uint8Array;
  /** What changed after this cursor is asked for; 0: everything; -1: nothing. */
  readonly since: number;
  /** Completions that the tracker knows of, but for those that `changes` bring. */
  readonly completed: number;
  /** Peers that were not heard for so long are forgotten. */
  readonly keepMs: number;
  /** Somebody waits for it: it does not queue behind those for which nobody does. */
  readonly isUrgent: boolean;
}

export interface SwarmAnswer {
  /** For the next exchange: whatever is told after this answer comes after it. */
  readonly cursor: number;
  /** Completions, those of this exchange among them. */
  readonly completed: number;
  /** There is more after `cursor`. */
  readonly more: boolean;
  /** What others changed, as records; the peers of this exchange's changes are not among them. */
  readonly changes: Uint8Array;
}

export interface SwarmLink {
  /**
   * One step, all or nothing. A change of age 0 holds whatever was known; an older one only against what is older still.
   * A peer that completes counts, however old the news, unless it was counted and has not begun anew, as a leech a minute
   * later: nothing counts twice when an exchange is repeated, or when two trackers heard the same. The request is lent
   * until it settles. Rejects where the store does not do it: with SWARM_REFUSED where what it has of this one swarm is to blame,
   * so that others are not concerned.
   */
  exchange(request: SwarmExchange): Promise<SwarmAnswer>;
  /** Rejects what is under way. Idempotent. */
  close(): void;
}

export interface SwarmStore {
  /** For people: where it is, without secrets. */
  readonly name: string;
  /** What another thread makes its own store of. */
  readonly place: string;
  /**
   * `onLost` is called once when the link breaks by itself. Rejects with CONNECT_FAILED where nobody answers, and with
   * STORE_REFUSED where who answers is not to be used: a wrong password, too old, something else.
   */
  open(onLost: (error: Error) => void): Promise<SwarmLink>;
}
