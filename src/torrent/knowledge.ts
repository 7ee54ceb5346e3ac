// What peers exchange besides blocks: the info dictionary (BEP 9) and merkle hashes (BEP 52).

import type { Peer } from '../peer/peer.ts';
import type { Env } from '../ports/env.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { Core } from './core.ts';
import { HashAnswers } from './hash-answers.ts';
import { HashExchange } from './hash-exchange.ts';
import { answerMetadata, MetadataFetch, type MetadataWants } from './metadata-exchange.ts';

export interface KnowledgeEvents {
  peers(): readonly Peer[];
  /** Something is to be sent to it. */
  touch(peer: Peer): void;
  /** What it sent was wrong, and could not come from anybody else. */
  onLiar(peer: Peer, why: string): void;
  /** The info dictionary, verified. */
  onInfo(info: Uint8Array): void;
  /** The hashes of these pieces are known now. */
  onLayer(pieces: { readonly first: number; readonly last: number }): void;
  /** The leaf hashes of a failed piece, or null: nobody has them. */
  onLeaves(piece: number, leaves: Uint8Array | null): void;
}

export class Knowledge {
  readonly #env: Pick<Env, 'clock' | 'hashes'>;
  readonly #events: KnowledgeEvents;
  readonly #fetch: MetadataFetch | null;
  #core: Core | null = null;
  #exchange: HashExchange | null = null;
  #answers: HashAnswers | null = null;

  /** `wants`: the info hashes of a magnet link; null where the metadata is known. */
  constructor(env: Pick<Env, 'clock' | 'hashes'>, wants: MetadataWants | null, events: KnowledgeEvents) {
    this.#env = env;
    this.#events = events;
    this.#fetch = wants
      ? new MetadataFetch(wants, env.hashes, events.onInfo, (peer) => events.onLiar(peer, 'its metadata was wrong'))
      : null;
  }

  /** The metadata is known and the content open: hashes are exchanged from here on. */
  begin(core: Core): void {
    this.#core = core;
  }

  /** With the first peer: a torrent that nobody asks for needs none. */
  #hashesOf(core: Core): HashExchange {
    this.#exchange ??= new HashExchange(core, this.#env.hashes, () => this.#env.clock.nowMs(), {
      onLayer: (pieces) => this.#events.onLayer(pieces),
      onLeaves: (piece, leaves) => this.#events.onLeaves(piece, leaves),
    });
    return this.#exchange;
  }

  #answersOf(core: Core): HashAnswers {
    this.#answers ??= new HashAnswers(core, this.#env.hashes);
    return this.#answers;
  }

  /** Asks peers for what is missing. Call when one can tell more, and once a second. */
  ask(nowMs: number): void {
    if (this.#core === null) for (const peer of this.#events.peers()) this.#fetch?.ask(peer, nowMs);
    else if (this.#events.peers().length > 0) this.#hashesOf(this.#core).ask(this.#events.peers(), nowMs);
  }

  onExtended(peer: Peer): void {
    if (this.#core === null) this.#fetch?.ask(peer, this.#env.clock.nowMs());
  }

  onMetadata(peer: Peer, payload: Uint8Array): void {
    if (this.#core) {
      answerMetadata(peer, payload, this.#core.info.bytes);
    } else {
      const nowMs = this.#env.clock.nowMs();
      this.#fetch?.onMessage(peer, payload, nowMs);
      this.#fetch?.ask(peer, nowMs);
    }
    this.#events.touch(peer);
  }

  onHashRequest(peer: Peer, query: HashQuery): void {
    if (!this.#core) peer.sendHashReject(query);
    else this.#answersOf(this.#core).answer(peer, query, () => this.#events.touch(peer));
    this.#events.touch(peer);
  }

  onHashReject(peer: Peer, query: HashQuery): void {
    if (this.#exchange?.onReject(peer, query)) this.#askHashes();
  }

  onHashes(peer: Peer, query: HashQuery, hashes: Uint8Array): void {
    const answer = this.#exchange?.onHashes(peer, query, hashes) ?? 'unasked';
    if (answer === 'wrong') this.#events.onLiar(peer, 'its hashes were wrong');
    if (answer !== 'unasked') this.#askHashes();
  }

  /** Asks for the leaf hashes of a failed piece; false where nobody connected could know them. */
  wantLeaves(piece: number): boolean {
    const wanted = this.#core !== null && this.#hashesOf(this.#core).wantLeaves(piece, this.#events.peers());
    if (wanted) this.#askHashes();
    return wanted;
  }

  onPeerGone(peer: Peer): void {
    this.#fetch?.onPeerGone(peer);
    this.#exchange?.onPeerGone(peer);
  }

  #askHashes(): void {
    this.ask(this.#env.clock.nowMs());
    for (const peer of this.#events.peers()) this.#events.touch(peer);
  }
}
