// Content to send about, and the comparison of what arrived.

import { randomBytes, randomFillSync } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const CHUNK_BYTES = 8 << 20;
/** Every page says where it belongs, so that a misplaced one shows. */
const PAGE_BYTES = 4096;
const FILES_A_FOLDER = 100;

/** Chance in every chunk would take longer than many a measurement: one random chunk, marked page by page. */
export function writePayload(path: string, lengthBytes: number): void {
  const chunk = randomFillSync(Buffer.allocUnsafe(CHUNK_BYTES));
  const file = openSync(path, 'w');
  for (let at = 0; at < lengthBytes; at += CHUNK_BYTES) {
    for (let page = 0; page < CHUNK_BYTES; page += PAGE_BYTES) chunk.writeDoubleLE(at + page, page);
    writeSync(file, chunk, 0, Math.min(CHUNK_BYTES, lengthBytes - at));
  }
  closeSync(file);
}

/** So many small files of random bytes, a hundred a folder. */
export function writeSmallFiles(folder: string, count: number, lengthBytes: number): void {
  for (let i = 0; i < count; i++) {
    const inner = join(folder, String(Math.floor(i / FILES_A_FOLDER)).padStart(4, '0'));
    if (i % FILES_A_FOLDER === 0) mkdirSync(inner, { recursive: true });
    writeFileSync(join(inner, `${String(i).padStart(6, '0')}.bin`), randomBytes(lengthBytes));
  }
}

/** Byte for byte; of a folder, every file in it. */
export function sameContent(one: string, other: string): boolean {
  if (!existsSync(other)) return false;
  if (statSync(one).isDirectory())
    return readdirSync(one).every((name) => sameContent(join(one, name), join(other, name)));
  return sameFile(one, other);
}

function sameFile(one: string, other: string): boolean {
  const { size } = statSync(one);
  if (statSync(other).size !== size) return false;
  if (size <= CHUNK_BYTES) return readFileSync(one).equals(readFileSync(other));
  const files = [openSync(one, 'r'), openSync(other, 'r')];
  const chunks = files.map(() => Buffer.allocUnsafe(CHUNK_BYTES));
  try {
    for (;;) {
      const [a, b] = files.map((file, i) => chunks[i]!.subarray(0, readSync(file, chunks[i]!, 0, CHUNK_BYTES, null)));
      if (!a!.equals(b!)) return false;
      if (a!.length === 0) return true;
    }
  } finally {
    for (const file of files) closeSync(file);
  }
}
