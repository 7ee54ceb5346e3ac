// Torrents that fail while they are seeded: content that is gone, or not what it was. Nobody is served from then on, so it is said.

import { ShoalError } from '../base/errors.ts';
import type { Torrent } from '../torrent/torrent.ts';
import { noteError, printJson } from './output.ts';
import { torrentFacts } from './swarm.ts';

/** Tells each torrent that fails from now on; rejects with the reason of the last one, since then there is nothing left to do. */
export function lastFailure(
  torrents: readonly Torrent[],
  options: { readonly json?: boolean; readonly signal: AbortSignal },
): Promise<never> {
  let left = torrents.length;
  return new Promise((_, reject) => {
    for (const torrent of torrents) {
      void failing(torrent, options.signal).then((error) => {
        if (error === null) return;
        const { code, message } = error;
        if (options.json) printJson({ event: 'failed', ...torrentFacts(torrent), code, message });
        if (--left === 0) reject(error);
        else noteError(error);
      }, reject);
    }
  });
}

/** Null: it was stopped. */
async function failing(torrent: Torrent, signal: AbortSignal): Promise<ShoalError | null> {
  const changes = torrent.changes({ signal });
  let { error } = torrent.snapshot();
  if (error === null) {
    for await (const change of changes) {
      if (change.kind !== 'state' && change.kind !== 'lagged') continue;
      ({ error } = torrent.snapshot());
      if (error !== null) break;
    }
  }
  return error === null || signal.aborted ? null : new ShoalError(error.code, error.message);
}
