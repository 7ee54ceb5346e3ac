// Says why nothing arrives: first within 5 s, then every 10 s, until something does.

import type { StallReason } from '../torrent/stall.ts';
import type { Torrent } from '../torrent/torrent.ts';

/** The promise is 5 s; the rest is for a slow machine. */
const FIRST_MS = 4000;
const AGAIN_MS = 10_000;
const LOOK_MS = 500;

export interface StallReport {
  readonly name: string;
  readonly reasons: readonly StallReason[];
}

/** Watches a torrent that should be downloading. Returns the way to end it. */
export function watchStall(torrent: Torrent, say: (report: StallReport) => void): () => void {
  let last = '';
  let nextMs = performance.now() + FIRST_MS;
  const timer = setInterval(() => {
    const snapshot = torrent.snapshot();
    const now = performance.now();
    const signs = [snapshot.state, snapshot.downloadedBytes, snapshot.piecesVerified, snapshot.checkedFraction].join();
    if (signs !== last) {
      last = signs;
      nextMs = now + FIRST_MS;
    } else if (now >= nextMs && (snapshot.state === 'downloading' || snapshot.state === 'metadata')) {
      nextMs = now + AGAIN_MS;
      say({ name: snapshot.name ?? snapshot.infoHashV1 ?? snapshot.infoHashV2 ?? '', reasons: torrent.why() });
    }
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** One line for people. */
export function stallLine(report: StallReport): string {
  const texts = report.reasons.map((reason) => reason.text);
  return `nothing arrives: ${texts.length > 0 ? texts.join('; ') : 'no reason is known yet'}`;
}
