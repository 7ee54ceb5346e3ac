import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../base/bytes.ts';
import { decodeJournal, encodeBatch, encodeSnapshot, encodeWriting, snapshotBytes } from './journal-format.ts';
import { type JournalBatch, JournalState } from './journal-state.ts';

const identity = { infoHash: new Uint8Array(20).fill(7), pieceCount: 21, fileCount: 5 };

const files = fc.array(
  fc.record({
    index: fc.nat(4),
    lengthBytes: fc.integer({ min: -1, max: 2 ** 50 }),
    mtimeMs: fc.double({ noNaN: true }),
  }),
  { maxLength: 5 },
);
const batches = fc.array(
  fc.record<JournalBatch>({
    wallMs: fc.nat(),
    uploaded: fc.nat(),
    downloaded: fc.nat(),
    won: fc.array(fc.nat(20), { maxLength: 5 }),
    lost: fc.array(fc.nat(20), { maxLength: 2 }),
    files,
  }),
  { maxLength: 5 },
);

/** A journal of these batches as it is written, with the end of every record and the state after it. */
function write(list: readonly JournalBatch[]): { bytes: Uint8Array; ends: number[]; states: Uint8Array[] } {
  const state = new JournalState(identity.pieceCount, identity.fileCount);
  let bytes = encodeSnapshot(identity, state);
  const ends = [bytes.length];
  const states = [bytes];
  for (const batch of list) {
    state.apply(batch);
    bytes = concatBytes([bytes, encodeBatch(batch)]);
    ends.push(bytes.length);
    states.push(encodeSnapshot(identity, state));
  }
  return { bytes, ends, states };
}

describe('the bytes of a journal', () => {
  it('read back as what was written, record by record and as a snapshot', () => {
    fc.assert(
      fc.property(batches, (list) => {
        const { bytes, states } = write(list);
        const read = decodeJournal(bytes, identity);
        if (read.kind !== 'read') throw new Error(read.kind);
        expect(read.torn).toBe(false);
        expect(encodeSnapshot(identity, read.state)).toEqual(states.at(-1));
        const again = decodeJournal(states.at(-1)!, identity);
        if (again.kind !== 'read') throw new Error(again.kind);
        expect(encodeSnapshot(identity, again.state)).toEqual(states.at(-1));
      }),
    );
  });

  it('count up to the last whole record where the rest is torn or spoilt, and nowhere throw', () => {
    fc.assert(
      fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (list, where, change, isCut) => {
        const { bytes, ends, states } = write(list);
        const at = where % bytes.length;
        fc.pre(at !== 8); // the version, of which another test speaks
        const spoilt = isCut ? bytes.slice(0, at) : bytes.map((byte, i) => (i === at ? byte ^ change : byte));
        const read = decodeJournal(spoilt, identity);
        const whole = ends.filter((end) => end <= at).length;
        if (whole === 0) {
          expect(read.kind).toBe(spoilt.length === 0 ? 'fresh' : 'damaged');
          return;
        }
        if (read.kind !== 'read') throw new Error(read.kind);
        const isTorn = spoilt.length > ends[whole - 1]!;
        expect(read.torn).toBe(isTorn);
        const expected = decodeJournal(states[whole - 1]!, identity);
        if (expected.kind !== 'read') throw new Error(expected.kind);
        if (isTorn) expected.state.clean = false;
        expect(encodeSnapshot(identity, read.state)).toEqual(encodeSnapshot(identity, expected.state));
      }),
      { numRuns: 300 },
    );
  });

  it('are as long as was foretold', () => {
    const state = new JournalState(identity.pieceCount, identity.fileCount);
    expect(encodeSnapshot(identity, state)).toHaveLength(snapshotBytes(identity, 0));
    state.applyFiles([{ index: 3, lengthBytes: 1, mtimeMs: 2 }]);
    expect(encodeSnapshot(identity, state)).toHaveLength(snapshotBytes(identity, 1));
  });

  it('are unclean after a run began to write', () => {
    const { bytes } = write([]);
    const read = decodeJournal(concatBytes([bytes, encodeWriting(5)]), identity);
    expect(read).toMatchObject({ kind: 'read', torn: false, state: { clean: false, wallMs: 5 } });
  });

  it('of a newer version are refused, and those of another torrent not used', () => {
    const { bytes } = write([]);
    const newer = bytes.slice();
    newer[8] = 2;
    expect(() => decodeJournal(newer, identity)).toThrow(expect.objectContaining({ code: 'STATE_VERSION' }));
    const other = { ...identity, infoHash: new Uint8Array(32).fill(7) };
    expect(decodeJournal(bytes, other)).toEqual({ kind: 'damaged' });
    expect(decodeJournal(bytes, { ...identity, pieceCount: 22 })).toEqual({ kind: 'damaged' });
  });
});
