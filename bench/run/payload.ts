// Content to send about, and the comparison of what arrived.

import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, statSync, writeSync } from 'node:fs';

const CHUNK_BYTES = 8 << 20;
/** Every page says where it belongs, so that a misplaced one shows. */
const PAGE_BYTES = 4096;

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

/** Byte for byte. */
export function sameContent(one: string, other: string): boolean {
  if (!existsSync(other) || statSync(one).size !== statSync(other).size) return false;
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
