// Where a symlink of a torrent may point (BEP 47): to a place inside the torrent, and nowhere else.

import { safeName } from './names.ts';

/**
 * Safe components of a target below the torrent's folder; null for one that leaves it, which makes the symlink an empty
 * file. BEP 47 forbids `..`, but libtorrent 2.0 writes targets as the disk has them, relative to the symlink's own
 * folder: where `..` is found the target is read so. `link` is the symlink's path. Neither needs to be safe.
 */
export function safeTarget(target: readonly string[], link: readonly string[]): readonly string[] | null {
  const out: string[] = target.includes('..') ? link.slice(0, -1) : [];
  for (const part of target) {
    if (part === '.' || part === '') continue;
    if (part !== '..') out.push(part);
    else if (out.pop() === undefined) return null;
  }
  return out.length === 0 ? null : out.map(safeName);
}
