// What is transferred: three small torrents, one of each version, and the comparison of copies with them.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Chance } from '../interop/harness/chance.ts';
import { HOME } from './actor.ts';

export const SHOAL: string = join(HOME, 'bin', 'shoal.js');

export interface Content {
  readonly meta: 'v1' | 'v2' | 'hybrid';
  readonly name: string;
  /** The torrent file. */
  readonly file: string;
  readonly magnet: string;
  /** The content itself. */
  readonly path: string;
  readonly lengthBytes: number;
  readonly pieceCount: number;
  /** 20 bytes: as handshakes and trackers name it. */
  readonly infoHash: Uint8Array;
  /** By path below the folder that a copy is put into. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const KIB = 1024;
const PIECE_KIB = 64;

/** Lengths that are no multiple of a piece or a block, a file below one block, an empty one. */
const SHAPES: readonly { readonly meta: Content['meta']; readonly files: Readonly<Record<string, number>> }[] = [
  { meta: 'v1', files: { '': 12_000 * KIB + 4321 } },
  { meta: 'v2', files: { 'a.bin': 5000 * KIB + 17, 'b/c.bin': 3000 * KIB + 1, 'b/small': 700, 'b/empty': 0 } },
  { meta: 'hybrid', files: { 'one.bin': 6000 * KIB + 99, 'two/three.bin': 2500 * KIB, 'two/four': 16_384 } },
];

/** `trackers`: an announce URL for each version. */
export function makeContents(
  folder: string,
  chance: Chance,
  trackers: Readonly<Record<Content['meta'], string>>,
): Promise<readonly Content[]> {
  return Promise.all(SHAPES.map((shape) => makeContent(folder, shape, chance, trackers[shape.meta])));
}

async function makeContent(
  folder: string,
  { meta, files }: (typeof SHAPES)[number],
  chance: Chance,
  tracker: string,
): Promise<Content> {
  const name = `content-${meta}`;
  const bytesOf = new Map<string, Uint8Array>();
  for (const [path, lengthBytes] of Object.entries(files)) bytesOf.set(join(name, path), chance.bytes(lengthBytes));
  for (const [path, bytes] of bytesOf) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  const file = join(folder, `${name}.torrent`);
  const args = [join(folder, name), '-o', file, '--meta', meta, '--piece-length', `${PIECE_KIB}KiB`, '--json'];
  const create = [SHOAL, 'create', ...args, '--tracker', tracker];
  const { stdout } = await promisify(execFile)(process.execPath, create);
  const made = JSON.parse(stdout) as {
    magnet: string;
    infoHashV1: string | null;
    infoHashV2: string | null;
    pieceCount: number;
  };
  const lengthBytes = Object.values(files).reduce((sum, length) => sum + length, 0);
  const infoHash = new Uint8Array(Buffer.from(made.infoHashV1 ?? made.infoHashV2!, 'hex').subarray(0, 20));
  const { magnet, pieceCount } = made;
  return { meta, name, file, magnet, path: join(folder, name), lengthBytes, pieceCount, infoHash, files: bytesOf };
}

/** What is different in the copy below `folder`, in words; null: nothing, and there is nothing else. `ignored`: ends of names. */
export async function differenceOf(
  content: Content,
  folder: string,
  ignored: string | null = null,
): Promise<string | null> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const strange = found.find((path) => !content.files.has(path) && (ignored === null || !path.endsWith(ignored)));
  if (strange !== undefined) return `there is "${strange}", which is not in the torrent`;
  for (const [path, bytes] of content.files) {
    if (!found.includes(path)) return `"${path}" is missing`;
    const copy = await readFile(join(folder, path));
    if (copy.length !== bytes.length) return `"${path}" has ${copy.length} bytes, not ${bytes.length}`;
    if (!copy.equals(bytes)) return `"${path}" differs from byte ${copy.findIndex((byte, i) => byte !== bytes[i])} on`;
  }
  return null;
}
