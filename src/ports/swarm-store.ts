// Swarms that several trackers share. A tracker answers from its own table; what it heard it tells the store, and what
// others told it asks back, one swarm at a time, both in one step. What is for a connection of another tracker is sent to that
// tracker's place.

/** Changes of one exchange at most: a step of the store takes a millisecond, not more. */
export const MAX_EXCHANGED_CHANGES = 512;
/** Bytes that are sent to a place at once: a store passes on larger ones too, and is kept from others for as long. */
export const MAX_SENT_LENGTH: number = 256 * 1024;

export interface SwarmExchange {
  /** 20 bytes; fewer for what trackers tell each other of themselves. */
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
  /**
   * Sends up to {@link MAX_SENT_LENGTH} bytes to whoever listens at a place, behind what was sent there before; where nobody does
   * they are lost. Resolves when the store has them; they are lent until then. Rejects where the store does not do it.
   */
  send(place: number, bytes: Uint8Array): Promise<void>;
  /** Rejects what is under way. Idempotent. */
  close(): void;
}

export interface SwarmEar {
  /** Nothing is heard any more. Idempotent. */
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
  /**
   * Hears what is sent to a place, a number of 32 bits, over a link of its own; the bytes are the listener's, and whoever can write
   * to the store may have sent them. `onLost` is called once when the link breaks by itself. Rejects where it cannot be done.
   */
  listen(place: number, hear: (bytes: Uint8Array) => void, onLost: (error: Error) => void): Promise<SwarmEar>;
}
