// The copies against the source, with all that is on the disk and nothing that the swarm says of itself.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathMatcher } from '../globs.ts';
import { differences, type FileMark, marksOf } from './compare.ts';
import { type Content, exactly } from './content.ts';
import type { Screen } from './screen.ts';
import type { Leech } from './swarm.ts';
import { CompareView } from './views.ts';

/** By leech: what is not as in the source. Reads everything, source and copies. */
export async function compareAll(
  content: Content,
  made: { readonly name: string | null; readonly length: number | null },
  leeches: readonly Leech[],
  screen: Screen,
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const view = new CompareView((leeches.length + 1) * made.length!);
  const marks = (root: string, leaveOut: (path: string) => boolean): Promise<Map<string, FileMark>> =>
    marksOf(root, leaveOut, (lengthBytes) => view.add(lengthBytes), signal);
  const leftOut = [...content.caches, ...content.tooLarge].map(exactly);
  const everything = (): boolean => false;
  screen.show(view);
  try {
    const source = await marks(content.path, leftOut.length === 0 ? everything : pathMatcher(leftOut));
    const out = new Map<string, readonly string[]>();
    for (const { name, folder } of leeches) {
      const copy = await marks(join(folder, made.name!), everything);
      out.set(name, [...strays(await readdir(folder), made.name!), ...differences(source, copy)]);
    }
    return out;
  } finally {
    screen.end();
  }
}

/** A leech leaves the content in its folder and nothing else. */
function strays(names: readonly string[], wanted: string): string[] {
  return names.filter((name) => name !== wanted).map((name) => `"${name}" lies beside the content`);
}
