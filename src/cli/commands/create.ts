// shoal create: a torrent file of a file or folder.

import { toHex } from '../../base/bytes.ts';
import { parseTrackers, UsageError } from '../args.ts';
import { EXIT_FAILED } from '../errors.ts';
import { factsOf } from '../facts.ts';
import { checkFormat, make, outputPath, writeOut } from '../making.ts';
import type { CreateOptions } from '../options.ts';
import { print, printJson } from '../output.ts';
import { printable } from '../render/printable.ts';
import { count, formatBytes, formatPieceLength } from '../render/quantities.ts';
import { watchSignals } from '../signals.ts';
import { openContentWorld } from '../world.ts';

export async function run(path: string, options: CreateOptions): Promise<void> {
  const trackers = parseTrackers(options.tracker);
  checkFormat(options, trackers);
  if (options.json && options.output === '-') {
    throw new UsageError('--json and -o - both want stdout; write the torrent to a file');
  }
  const stop = watchSignals({ exitCode: () => EXIT_FAILED, word: () => '' });
  const env = await openContentWorld();
  try {
    const target = await outputPath(env, path, options);
    const created = await stop.race(make(env, path, options, trackers, stop.signal));
    await writeOut(env, target, created.bytes);
    const { metainfo, ignored, altered } = created;
    const { info } = metainfo;
    if (options.json) {
      printJson({ file: target, format: options.format, ...factsOf(metainfo), ignored, altered });
    } else if (target !== null) {
      print(printable(target));
      const pieces = `${count(info.pieceCount, 'piece')} of ${formatPieceLength(info.pieceLengthBytes)}`;
      print(`${formatBytes(info.lengthBytes)} in ${pieces}`);
      for (const hash of [info.infoHashV1, info.infoHashV2]) if (hash !== null) print(`info hash ${toHex(hash)}`);
    }
  } finally {
    await env.close();
  }
}
