// What the demo distributes: the path that was given, or Shoal's own node_modules without caches and, if need be, without its largest packages.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../base/errors.ts';
import { walk } from '../../create/walk.ts';
import { nodeFiles } from '../../platform/node/files.ts';
import { HOME } from '../home.ts';

const NODE_MODULES: string = fileURLToPath(new URL('node_modules', HOME));

/** Three copies of more than this would take longer than people like to watch. */
const MOST_BYTES = 256e6;

export interface Content {
  readonly path: string;
  /** Top-level names (`.cache`, `@scope/name`) that are left out; nothing of a path that was given is. */
  readonly caches: readonly string[];
  readonly tooLarge: readonly string[];
}

/** FILE_NOT_FOUND where there is nothing. */
export async function chooseContent(path: string | undefined, signal: AbortSignal): Promise<Content> {
  const chosen = resolve(path ?? NODE_MODULES);
  const found = await nodeFiles.info(chosen);
  if (path !== undefined) {
    if (found) return { path: chosen, caches: [], tooLarge: [] };
    throw new ShoalError('FILE_NOT_FOUND', `there is nothing at "${chosen}"; name a file or a folder`);
  }
  if (found?.kind === 'folder') return withoutTheLargest(chosen, signal);
  throw new ShoalError('FILE_NOT_FOUND', `Shoal has no node_modules here; name what to distribute: shoal demo PATH`);
}

/** Tools keep their caches in node_modules under names with a dot; `.bin` is npm's and belongs to the packages. */
function isCache(topName: string): boolean {
  return topName.startsWith('.') && topName !== '.bin';
}

/** The same files give the same choice: packages from the smallest up, as long as all fit. */
async function withoutTheLargest(path: string, signal: AbortSignal): Promise<Content> {
  const caches = new Set<string>();
  const exclude = (relative: string): boolean => {
    if (relative.includes('/') || !isCache(relative)) return false;
    caches.add(relative);
    return true;
  };
  const { files } = await walk(nodeFiles, path, { symlinks: 'follow', exclude, signal });
  const sizes = new Map<string, number>();
  for (const file of files) {
    const name = packageOf(file.path);
    const info = await nodeFiles.info([path, ...file.path].join('/'));
    sizes.set(name, (sizes.get(name) ?? 0) + (info?.lengthBytes ?? 0));
  }
  return { path, caches: [...caches].sort(), tooLarge: largest(sizes, MOST_BYTES) };
}

/** `name`, `@scope/name`, or a file that stands alone. */
function packageOf(path: readonly string[]): string {
  const [top = '', second] = path;
  return top.startsWith('@') && path.length > 2 ? `${top}/${second}` : top;
}

/** Names to leave out so that the others have at most `mostBytes` together. */
export function largest(sizes: ReadonlyMap<string, number>, mostBytes: number): string[] {
  const bySize = [...sizes].sort(([a, aBytes], [b, bBytes]) => aBytes - bBytes || (a < b ? -1 : 1));
  let sum = 0;
  const tooLarge = bySize.filter(([, bytes]) => {
    sum += bytes;
    return sum > mostBytes;
  });
  return tooLarge.map(([name]) => name).sort();
}

/** Exactly this path below the root, as a pattern of `--exclude`. */
export function exactly(path: string): string {
  return `/${path.replace(/[\\*?[\]{}()!+@|^$]/g, '\\$&')}`;
}
