// The connections of a session, shared by its torrents: none takes them all, and who is of no use makes room.

/** Dials under way in all torrents together: routers keep an entry for each, and small ones have few. */
const MAX_DIALS = 100;
/** A torrent with fewer connections may have one of a torrent that has twice as many, or more, when all are in use. */
const LEAST_SHARE = 10;
/** Where nobody made room a moment ago nobody will now: remotes may ask as often as they like. */
const LOOK_AGAIN_MS = 500;

/** A torrent's swarm, as the others see it. */
export interface ConnectionHolder {
  /** Connected peers and dials under way. */
  readonly connections: number;
  /** Closes the peer that is of least use; false where each is of some. */
  closeUseless(nowMs: number): boolean;
  /** Closes the peer that least is exchanged with; false where all are new. */
  closeSlowest(nowMs: number): boolean;
}

/** Counts what is taken and given back. Holders join before they take and leave when they are closed. */
export class Connections {
  readonly #max: number;
  readonly #holders: Set<ConnectionHolder> = new Set();
  #taken = 0;
  #dials = 0;
  #nextLookMs = Number.NEGATIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
  }

  join(holder: ConnectionHolder): void {
    this.#holders.add(holder);
  }

  leave(holder: ConnectionHolder): void {
    this.#holders.delete(holder);
  }

  /** For a remote that came; false while all are in use by peers that are of some use. */
  take(holder: ConnectionHolder, nowMs: number): boolean {
    if (this.#taken >= this.#max && !this.#someGo(nowMs) && !this.#richestGives(holder, nowMs)) return false;
    this.#taken++;
    return true;
  }

  /** For a dial: whom nobody knows yet takes the place of no peer, unless the torrent has hardly any. */
  takeDial(holder: ConnectionHolder, nowMs: number): boolean {
    if (this.#dials >= MAX_DIALS) return false;
    if (this.#taken >= this.#max && !this.#richestGives(holder, nowMs)) return false;
    this.#taken++;
    this.#dials++;
    return true;
  }

  /** The dial has become a connection, or has failed: then the connection is to be given back, too. */
  dialEnded(): void {
    this.#dials--;
  }

  give(): void {
    this.#taken--;
  }

  #someGo(nowMs: number): boolean {
    if (nowMs < this.#nextLookMs) return false;
    for (const holder of this.#holders) if (holder.closeUseless(nowMs)) return true;
    this.#nextLookMs = nowMs + LOOK_AGAIN_MS;
    return false;
  }

  #richestGives(asker: ConnectionHolder, nowMs: number): boolean {
    if (asker.connections >= LEAST_SHARE) return false;
    let richest = asker;
    for (const holder of this.#holders) if (holder.connections > richest.connections) richest = holder;
    return richest.connections >= 2 * LEAST_SHARE && richest.closeSlowest(nowMs);
  }
}
