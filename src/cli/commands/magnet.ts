// shoal magnet: the magnet link of a torrent file.

import { factsOf } from '../facts.ts';
import type { JsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { readFileSource } from '../source.ts';

export async function run(file: string, options: JsonOption): Promise<void> {
  const { name, infoHashV1, infoHashV2, magnet } = factsOf((await readFileSource(file)).metainfo);
  if (options.json) printJson({ magnet, name, infoHashV1, infoHashV2 });
  else print(magnet);
}
