import { describe, expect, it } from 'vitest';
import type { Geometry } from '../metainfo/geometry.ts';
import type { PieceIo, PieceSlot } from '../ports/piece-io.ts';
import type { SlotShares } from './slot-shares.ts';
import { Slots } from './slots.ts';

const MIB = 1024 * 1024;

/** Slots of pieces so long, of memory that never ends. */
function slotsOf(pieceBytes: number): Slots {
  const io = { acquire: (bytes: number) => ({ bytes: new Uint8Array(bytes) }) as PieceSlot, release: () => undefined };
  const geometry = { pieceLengthBytes: pieceBytes, pieceBytes: () => pieceBytes, hasPadding: false };
  const shares = { mayTake: () => true, fed: () => undefined, refused: () => undefined, freed: () => undefined };
  return new Slots(
    io as unknown as PieceIo,
    geometry as unknown as Geometry,
    shares as unknown as SlotShares,
    () => undefined,
  );
}

/** How many pieces are begun and all of them handed over to be written, until there is no room. */
function writtenAtOnce(slots: Slots): number {
  for (let piece = 0; ; piece++) {
    if (!slots.hasRoom()) return piece;
    slots.begin(piece);
    slots.setCommitting(slots.get(piece)!, true);
  }
}

describe('memory of pieces', () => {
  it('begins no more of them while 24 MiB are being written, and goes on when one is', () => {
    const slots = slotsOf(MIB);
    expect(writtenAtOnce(slots)).toBe(24);
    slots.release(0);
    expect(slots.hasRoom()).toBe(true);
    slots.begin(0);
    slots.setCommitting(slots.get(0)!, true);
    expect(slots.hasRoom()).toBe(false);
    slots.setCommitting(slots.get(1)!, false);
    slots.setCommitting(slots.get(1)!, false);
    expect(slots.hasRoom()).toBe(true);
  });

  it('receives a long piece while another is written', () => {
    expect(writtenAtOnce(slotsOf(64 * MIB))).toBe(2);
  });
});
