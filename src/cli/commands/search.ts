// shoal search: finds torrents in the catalogue of a tracker.

import type { SearchJson, TorrentJson } from '../../tracker/site/api-types.ts';
import { note, print, printJson } from '../output.ts';
import { formatBytes, formatDate } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import { remoteSite } from '../site-client.ts';
import type { SearchOptions } from '../site-options.ts';

export async function run(words: readonly string[], options: SearchOptions): Promise<void> {
  const answer = await remoteSite(options.at, options.token).ask<SearchJson>(
    'GET',
    `/api/search?${queryOf(words, options)}`,
  );
  if (options.json) {
    printJson(answer);
    return;
  }
  const { torrents, total, isExact } = answer;
  if (torrents.length === 0) {
    note('nothing found');
    return;
  }
  const columns = [
    { title: 'NAME' },
    { title: 'SIZE', align: 'right' },
    { title: 'FILES', align: 'right' },
    { title: 'SEEDS', align: 'right' },
    { title: 'LEECHES', align: 'right' },
    { title: 'PUBLISHED' },
    { title: 'INFO HASH' },
  ] as const;
  print(renderTable(columns, torrents.map(rowOf)));
  const shown = options.offset + torrents.length;
  if (shown < total || !isExact)
    note(`${shown} of ${isExact ? total : `more than ${total}`}; --offset ${shown} shows more`);
}

/** A word with a space was quoted in the shell: a phrase. */
function queryOf(words: readonly string[], options: SearchOptions): string {
  const query = new URLSearchParams({
    q: words.map((word) => (/\s/.test(word) && !word.includes('"') ? `"${word}"` : word)).join(' '),
    sort: options.sort,
    order: options.ascending ? 'ascending' : 'descending',
    limit: String(options.limit),
    offset: String(options.offset),
  });
  const { passkey, minSize, maxSize, since, until, minSeeds } = options;
  for (const [name, value] of Object.entries({ passkey, minSize, maxSize, since, until, minSeeds })) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}

function rowOf(torrent: TorrentJson): string[] {
  return [
    torrent.name,
    formatBytes(torrent.length),
    String(torrent.fileCount),
    String(torrent.seeds),
    String(torrent.leeches),
    formatDate(torrent.publishedAt).slice(0, 10),
    torrent.infoHash,
  ];
}
