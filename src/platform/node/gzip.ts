// gzip on Node: zlib, in the threads that it shares with files.

import { constants, createGzip, gzipSync, type Gzip as NodeGzip } from 'node:zlib';
import type { Gzip, GzipStream } from '../../ports/gzip.ts';

/** Fastest: what is compressed is made anew for each client, and much of it is hashes, which no level makes shorter. */
const LEVEL: number = constants.Z_BEST_SPEED;

export function createNodeGzip(): Gzip {
  return { whole: (bytes) => gzipSync(bytes, { level: LEVEL }), start: () => new NodeGzipStream() };
}

class NodeGzipStream implements GzipStream {
  readonly #gzip: NodeGzip = createGzip({ level: LEVEL });
  #out: Uint8Array[] = [];
  #isClosed = false;

  constructor() {
    this.#gzip.on('data', (chunk: Uint8Array) => this.#out.push(chunk));
    // It was closed: whoever closes waits for nothing.
    this.#gzip.on('error', () => undefined);
  }

  push(part: Uint8Array, isLast: boolean, done: (out: readonly Uint8Array[]) => void): void {
    const told = (): void => {
      if (this.#isClosed) return;
      const out = this.#out;
      this.#out = [];
      done(out);
    };
    if (isLast) this.#gzip.once('end', told).end(part);
    else this.#gzip.write(part, told);
  }

  close(): void {
    this.#isClosed = true;
    this.#gzip.destroy();
  }
}
