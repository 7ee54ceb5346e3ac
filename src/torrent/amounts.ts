// How much of a torrent there is: wanted, verified, both.

import type { Core } from './core.ts';

export class Amounts {
  /** Data bytes of the pieces that were selected. */
  wantedBytes = 0;
  /** Of those, verified. */
  verifiedWantedBytes = 0;
  /** Of all pieces, verified. */
  verifiedBytes = 0;

  /** Counts what is there at the start. */
  begin(core: Core): void {
    for (let piece = 0; piece < core.geometry.pieceCount; piece++) {
      const bytes = core.geometry.dataBytes(piece);
      const wanted = core.isSelected(piece);
      if (wanted) this.wantedBytes += bytes;
      if (!core.have.has(piece)) continue;
      this.verifiedBytes += bytes;
      if (wanted) this.verifiedWantedBytes += bytes;
    }
  }

  /** A wanted piece was verified. */
  add(bytes: number): void {
    this.verifiedBytes += bytes;
    this.verifiedWantedBytes += bytes;
  }
}
