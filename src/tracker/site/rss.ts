// A search as an RSS feed: programs that watch feeds fetch what is new.

import { generateRssFeed } from 'feedsmith';
import type { TorrentJson } from './api-types.ts';

/** `base`: where this tracker is reached. The newest torrent comes first. */
export function rssFeed(torrents: readonly TorrentJson[], words: string, base: string): string {
  const shown = words.replace(/\p{Cc}|\p{Cs}/gu, ' ').trim();
  return generateRssFeed({
    title: shown === '' ? 'New torrents' : `Torrents: ${shown}`,
    link: base,
    description: `What was published at ${base}`,
    items: torrents.map((torrent) => ({
      title: torrent.name,
      link: torrent.torrent,
      description: descriptionOf(torrent),
      guid: { value: `urn:btih:${torrent.infoHash}`, isPermaLink: false },
      pubDate: new Date(1000 * torrent.publishedAt),
      // The length of the torrent file is not known before it is made for its reader; readers take 0 for that.
      enclosures: [{ url: torrent.torrent, type: 'application/x-bittorrent', length: 0 }],
    })),
  });
}

function descriptionOf({ comment, length, fileCount, seeds, leeches }: TorrentJson): string {
  const files = fileCount === 1 ? '1 file' : `${fileCount} files`;
  const facts = `${length} bytes in ${files}; ${seeds} seeds, ${leeches} leeches`;
  return comment === '' ? facts : `${comment} (${facts})`;
}
