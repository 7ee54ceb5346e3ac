// The announcers of one torrent: one for each of its swarms (a hybrid torrent has two, BEP 52).

import type { Address } from '../base/address.ts';
import { type AnnouncedProgress, Announcer } from '../tracker/client/announcer.ts';
import type { TrackerState } from '../tracker/client/tracked.ts';
import type { TorrentHost } from './context.ts';

export interface AnnouncersOptions {
  readonly identity: { readonly infoHashV1: Uint8Array | null; readonly infoHashV2: Uint8Array | null };
  readonly tiers: readonly (readonly string[])[];
  readonly everyTracker: boolean;
  progress(): AnnouncedProgress;
  wantsPeers(): boolean;
  takesPeers(): boolean;
  /** `v2`: they are in the swarm of the v2 info hash. */
  onPeers(peers: readonly Address[], v2: boolean): void;
}

export class Announcers {
  readonly #announcers: readonly Announcer[];

  constructor(host: TorrentHost, options: AnnouncersOptions) {
    const { infoHashV1, infoHashV2 } = options.identity;
    const { env } = host;
    const key = env.random.below(2 ** 32);
    const make = (infoHash: Uint8Array, v2: boolean): Announcer =>
      new Announcer({
        client: host.trackers,
        clock: env.clock,
        random: env.random,
        log: env.log,
        infoHash,
        peerId: host.peerId,
        tiers: options.tiers,
        everyTracker: options.everyTracker,
        key,
        port: () => host.listenPort(),
        progress: options.progress,
        wantsPeers: options.wantsPeers,
        takesPeers: options.takesPeers,
        onPeers: (peers) => options.onPeers(peers, v2),
      });
    const announcers: Announcer[] = [];
    if (infoHashV1) announcers.push(make(infoHashV1, false));
    if (infoHashV2) announcers.push(make(infoHashV2.slice(0, 20), true));
    this.#announcers = announcers;
  }

  start(): void {
    for (const announcer of this.#announcers) announcer.start();
  }

  completed(): void {
    for (const announcer of this.#announcers) announcer.completed();
  }

  moreSoon(): void {
    for (const announcer of this.#announcers) announcer.moreSoon();
  }

  async stop(timeoutMs: number): Promise<void> {
    await Promise.all(this.#announcers.map((announcer) => announcer.stop(timeoutMs)));
  }

  /** The trackers as the first swarm sees them: both ask the same ones. */
  snapshot(): readonly TrackerState[] {
    return this.#announcers[0]?.snapshot() ?? [];
  }
}
