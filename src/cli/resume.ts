// `shoal seed` without arguments: takes up all that earlier runs shared and fetched, finished or not.

import { existsSync } from 'node:fs';
import { describeError, isShoalError, ShoalError } from '../base/errors.ts';
import { sideBySide } from '../base/side-by-side.ts';
import { parseMagnet } from '../metainfo/magnet.ts';
import { parseMetainfo } from '../metainfo/parse.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { Registry, type TorrentRecord } from '../session/registry.ts';
import type { AddRequest } from '../session/request.ts';
import type { Torrent } from '../torrent/torrent.ts';
import { pathMatcher } from './globs.ts';
import { note, noteError } from './output.ts';
import type { StopWatch } from './signals.ts';
import { type Swarm, selectedBy } from './swarm.ts';

/** Torrents taken up at once: most of the time goes to waiting for small files. */
const AT_ONCE = 16;

/** What cannot be taken up (content that is gone, a torrent that another process holds) is said and left out. */
export async function resume(swarm: Swarm, stop: StopWatch): Promise<readonly Torrent[]> {
  const registry = new Registry(swarm.env.store, () => swarm.env.clock.wallMs());
  const records = await registry.list(noteError);
  if (records.length === 0) {
    throw new ShoalError(
      'NOTHING_TO_DO',
      "nothing was shared or fetched yet; name a torrent file and its content's path",
    );
  }
  const taken = await sideBySide(records, AT_ONCE, async (record) => {
    try {
      const request = await requestFrom(record, registry, swarm);
      return await stop.race(swarm.session.add(request, { signal: stop.signal }));
    } catch (error) {
      if (stop.signal.aborted || !isShoalError(error)) throw error;
      note(`shoal: ${error.code}: ${record.name ?? record.id}: ${describeError(error)}`);
      return null;
    }
  });
  const out = taken.filter((torrent) => torrent !== null);
  if (out.length === 0) {
    throw new ShoalError(
      'NOTHING_TO_DO',
      "nothing of it can be taken up; 'shoal list' shows it, 'shoal remove' forgets it",
    );
  }
  return out;
}

async function requestFrom(record: TorrentRecord, registry: Registry, swarm: Swarm): Promise<AddRequest> {
  const { hashes } = swarm.env;
  const bytes = await registry.metainfo(record.id);
  if (record.complete && record.path !== null && !existsSync(record.path)) {
    throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${record.path}" any more`);
  }
  return {
    // Layers of a torrent that came by a magnet link may not be whole yet.
    ...(bytes
      ? {
          metainfo: parseMetainfo(bytes, hashes, { requireLayers: false, caseSensitive: nodeFiles.caseSensitive }),
          metainfoBytes: bytes,
        }
      : magnet(record)),
    ...(record.path === null ? {} : { contentPath: record.path }),
    ...(record.saveFolder === null ? {} : { saveFolder: record.saveFolder }),
    everyTracker: record.everyTracker,
    ...selectionOf(record),
    mode: record.mode,
    recheck: 'as-needed',
    peers: swarm.peers,
  };
}

/** What `--only` took, else what the link took that it was begun with. */
function selectionOf(record: TorrentRecord): Pick<AddRequest, 'only' | 'selection'> {
  if (record.selection.length > 0) return { selection: record.selection, only: pathMatcher(record.selection) };
  return record.magnet === null ? {} : selectedBy(parseMagnet(record.magnet));
}

function magnet(record: TorrentRecord): Pick<AddRequest, 'magnet'> {
  if (record.magnet === null) {
    throw new ShoalError('STATE_INVALID', `its torrent file is lost; 'shoal remove ${record.id}' forgets it`);
  }
  return { magnet: parseMagnet(record.magnet) };
}
