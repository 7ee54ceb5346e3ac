// shoal inspect: what a torrent file or a magnet link holds.

import type { Magnet, TorrentFile } from '../../metainfo/types.ts';
import { factsOf, factsOfMagnet, type TorrentFacts } from '../facts.ts';
import type { JsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { formatRanges } from '../ranges.ts';
import { renderFacts } from '../render/facts.ts';
import { count, formatBytesExactly, formatDate, formatPieceLength } from '../render/quantities.ts';
import { renderTree } from '../render/tree.ts';
import { readSource } from '../source.ts';
import { loadHttp } from '../world.ts';

export interface InspectOptions extends JsonOption {
  readonly all?: boolean;
}

/** More lines than a person scrolls through; --all shows the rest. */
const MAX_TREE_LINES = 200;
/** As much as a few lines hold. */
const MAX_RANGES = 30;

export async function run(text: string, options: InspectOptions): Promise<void> {
  const source = await readSource(text, { http: loadHttp });
  const facts = source.kind === 'magnet' ? factsOfMagnet(source.magnet, source.text) : factsOf(source.metainfo);
  if (options.json) {
    printJson(facts);
    return;
  }
  print(renderFacts([...rows(facts), ...(source.kind === 'magnet' ? hintRows(source.magnet) : [])]));
  if (source.kind === 'magnet') return;
  const { info } = source.metainfo;
  if (info.singleFile) return;
  const files = info.files.filter((file) => !file.padding);
  const padding = info.files.length - files.length;
  const maxLines = options.all ? Number.POSITIVE_INFINITY : MAX_TREE_LINES;
  print(`\n${renderTree(info.name, files.map(treeFile), maxLines).join('\n')}`);
  print(`\n${count(files.length, 'file')}${padding > 0 ? `, and ${count(padding, 'padding file')}` : ''}`);
}

function rows(facts: TorrentFacts): [string, string | readonly string[] | null][] {
  const pieces =
    facts.pieceCount === null ? null : `${facts.pieceCount} of ${formatPieceLength(facts.pieceLength ?? 0)}`;
  return [
    ['name', facts.name],
    ['length', facts.length === null ? null : formatBytesExactly(facts.length)],
    ['pieces', pieces],
    ['info hash v1', facts.infoHashV1],
    ['info hash v2', facts.infoHashV2],
    ['private', facts.private ? 'yes: peers from the trackers only' : null],
    ['trackers', facts.trackers.map((tier) => tier.join(', '))],
    ['web seeds', facts.webSeeds],
    ['comment', facts.comment?.split(/\r\n|\r|\n/) ?? null],
    ['source', facts.source],
    ['created by', facts.createdBy],
    ['created', facts.creationDate === null ? null : formatDate(facts.creationDate)],
    ['magnet', facts.files === null ? null : facts.magnet],
  ];
}

/** What only a link has: peers to begin with, and which files it is about. */
function hintRows(magnet: Magnet): [string, string | readonly string[] | null][] {
  const { selectOnly } = magnet;
  return [
    ['peers', magnet.peers.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)],
    ['only files', selectOnly === null ? null : formatRanges(selectOnly, MAX_RANGES)],
  ];
}

function treeFile(file: TorrentFile): { path: readonly string[]; lengthBytes: number; note: string } {
  const notes = [
    file.symlink ? `-> ${file.symlink.join('/')}` : '',
    file.executable ? 'executable' : '',
    file.hidden ? 'hidden' : '',
  ];
  return { path: file.path, lengthBytes: file.lengthBytes, note: notes.filter((text) => text !== '').join(', ') };
}
