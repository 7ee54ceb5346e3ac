// shoal publish: registers a torrent file at a tracker.

import type { PublishedJson } from '../../tracker/site/api-types.ts';
import { note, print, printJson } from '../output.ts';
import { printable } from '../render/printable.ts';
import { remoteSite } from '../site-client.ts';
import type { PublishOptions } from '../site-options.ts';
import { readFileSource } from '../source.ts';

export async function run(file: string, options: PublishOptions): Promise<void> {
  // What is no torrent is told before anything is sent.
  const { bytes } = await readFileSource(file);
  const site = remoteSite(options.to, options.token);
  const answer = await site.ask<PublishedJson>('POST', '/api/torrents', bytes);
  if (options.json) {
    printJson(answer);
    return;
  }
  const { torrent, isNew } = answer;
  if (!isNew) note('it was published before');
  print(`${printable(torrent.name)}\n  ${printable(torrent.torrent)}\n  ${printable(torrent.magnet)}`);
}
