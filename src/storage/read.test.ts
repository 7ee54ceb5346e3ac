import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { equalBytes, readU32 } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { parseInfo } from '../metainfo/info.ts';
import { type Content, SPAN_STRIDE, type Spans } from '../ports/piece-io.ts';
import { Layout } from './layout.ts';
import { type ContentReader, messageEnd, messageStart, PieceReader, type ReadyUnit } from './read.ts';

const BLOCK = 16384;

interface Bench {
  readonly reader: PieceReader;
  readonly content: ContentReader;
  readonly geometry: Geometry;
  readonly space: Uint8Array;
  readonly faults: [number, unknown][];
  /** Reads so far. */
  reads: number;
  /** Reads that wait to be let go. */
  readonly held: (() => void)[];
  isHolding: boolean;
  fails: boolean;
  /** The unit, waiting for it as a peer does. */
  take(piece: number, block: number): Promise<ReadyUnit>;
}

function makeBench(lengthBytes: number, pieceLengthBytes: number, budgetBytes: number, shared?: PieceReader): Bench {
  const bytes = noise(lengthBytes, lengthBytes);
  const sample = sampleTorrent([{ path: ['x'], bytes }], { kind: 'v1', pieceLengthBytes, singleFile: true });
  const info = parseInfo(sample.info, testHashes);
  const geometry = new Geometry(info);
  const reader = shared ?? new PieceReader(budgetBytes);
  const source = {
    read: async (spans: Spans, into: Uint8Array) => {
      bench.reads++;
      if (bench.isHolding) await new Promise<void>((resolve) => bench.held.push(resolve));
      else await Promise.resolve();
      if (bench.fails) throw new ShoalError('FILE_CHANGED', 'the file is shorter than it was');
      into.fill(0);
      for (let i = 0; i < spans.length; i += SPAN_STRIDE) {
        into.set(bytes.subarray(spans[i + 1]!, spans[i + 1]! + spans[i + 3]!), spans[i + 2]!);
      }
    },
  } as unknown as Content;
  const content = reader.open({
    content: source,
    layout: new Layout(info, geometry),
    geometry,
    onFault: (piece, error) => bench.faults.push([piece, error]),
  });
  const bench: Bench = {
    reader,
    content,
    geometry,
    space: bytes,
    faults: [],
    reads: 0,
    held: [],
    isHolding: false,
    fails: false,
    take: async (piece, block) => {
      for (;;) {
        let unit: ReadyUnit | null = null;
        const ready = new Promise<void>((resolve) => (unit = content.get(piece, block, resolve)));
        if (unit !== null) return unit;
        await ready;
      }
    },
  };
  return bench;
}

function expectMessage(bench: Bench, unit: ReadyUnit, piece: number, block: number): void {
  const message = unit.bytes.subarray(messageStart(unit, block), messageEnd(unit, block));
  const start = bench.geometry.pieceOffset(piece) + block * BLOCK;
  const length = bench.geometry.blockBytes(piece, block);
  expect([readU32(message, 0), message[4], readU32(message, 5), readU32(message, 9)]).toEqual([
    9 + length,
    7,
    piece,
    block * BLOCK,
  ]);
  expect(equalBytes(message.subarray(13), bench.space.subarray(start, start + length))).toBe(true);
}

describe('serving pieces', () => {
  it('gives every block as a whole piece message, neighbours side by side', async () => {
    for (const [lengthBytes, pieceLengthBytes] of [
      [100_001, 32768],
      [5_000_000, 4 * 1024 * 1024],
    ] as const) {
      const bench = makeBench(lengthBytes, pieceLengthBytes, 64 * 1024 * 1024);
      for (let piece = 0; piece < bench.geometry.pieceCount; piece++) {
        for (let block = 0; block < bench.geometry.blockCount(piece); block++) {
          const unit = await bench.take(piece, block);
          expectMessage(bench, unit, piece, block);
          unit.release();
        }
      }
      expect(bench.reads).toBe(Math.ceil(lengthBytes / Math.min(pieceLengthBytes, 1024 * 1024)));
      await bench.content.close();
      expect(bench.reader.usedBytes).toBe(0);
    }
  });

  it('keeps lent bytes as they are until they are released, and stays within its budget, whoever asks for what', async () => {
    const unitBytes = 4 * (BLOCK + 13);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.array(
          fc.record({ torrent: fc.boolean(), block: fc.nat(), act: fc.constantFrom('take', 'release', 'ask') }),
          {
            maxLength: 60,
          },
        ),
        async (units, steps) => {
          const a = makeBench(65536 * 5 + 7, 65536, units * unitBytes);
          const b = makeBench(65536 * 3, 65536, 0, a.reader);
          const lent: { bench: Bench; unit: ReadyUnit; piece: number; block: number }[] = [];
          for (const step of steps) {
            const bench = step.torrent ? a : b;
            const piece = step.block % bench.geometry.pieceCount;
            const block = step.block % bench.geometry.blockCount(piece);
            if (step.act === 'take') lent.push({ bench, unit: await bench.take(piece, block), piece, block });
            else if (step.act === 'ask') bench.content.prefetch(piece, block);
            else lent.splice(step.block % Math.max(1, lent.length), 1)[0]?.unit.release();
            for (const each of lent) expectMessage(each.bench, each.unit, each.piece, each.block);
            const single = lent.filter(({ unit }) => unit.blockCount === 1).length;
            expect(a.reader.usedBytes).toBeLessThanOrEqual(units * unitBytes + (single + 1) * (BLOCK + 13));
          }
          await Promise.all([a.content.close(), b.content.close()]);
          for (const { unit, bench, piece, block } of lent) {
            expectMessage(bench, unit, piece, block);
            unit.release();
          }
          expect(a.reader.usedBytes).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('reads a unit once for all who wait for it, and tells each of them once', async () => {
    const bench = makeBench(65536, 65536, 1024 * 1024);
    bench.isHolding = true;
    const calls: string[] = [];
    const first = (): void => void calls.push('first');
    const second = (): void => void calls.push('second');
    for (const onReady of [first, second, first]) expect(bench.content.get(0, 1, onReady)).toBeNull();
    bench.held[0]!();
    await new Promise(setImmediate);
    expect(calls).toEqual(['first', 'second']);
    expect(bench.reads).toBe(1);
    bench.content.get(0, 3, first)!.release();
    expect(bench.reads).toBe(1);
  });

  it('tells of a fault before it tells those who wait, and reads anew when asked again', async () => {
    const bench = makeBench(65536, 65536, 1024 * 1024);
    bench.fails = true;
    const faultsSeen: number[] = [];
    expect(bench.content.get(0, 0, () => faultsSeen.push(bench.faults.length))).toBeNull();
    await new Promise(setImmediate);
    expect(faultsSeen).toEqual([1]);
    expect(bench.faults[0]).toMatchObject([0, { code: 'FILE_CHANGED' }]);
    expect(bench.reader.usedBytes).toBe(0);
    bench.fails = false;
    (await bench.take(0, 0)).release();
  });

  it('waits at close for what is being read, and then calls nobody', async () => {
    const bench = makeBench(65536, 65536, 1024 * 1024);
    bench.isHolding = true;
    let calls = 0;
    bench.content.get(0, 0, () => calls++);
    let isClosed = false;
    const closed = bench.content.close().then(() => (isClosed = true));
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    bench.held[0]!();
    await closed;
    expect([calls, bench.reader.usedBytes, bench.content.get(0, 0, () => calls++)]).toEqual([0, 0, null]);
  });

  it('forgets a lost piece, but not for those who have it', async () => {
    const bench = makeBench(65536, 32768, 1024 * 1024);
    const unit = await bench.take(1, 0);
    bench.content.forget(1);
    expectMessage(bench, unit, 1, 0);
    unit.release();
    expect(bench.reader.usedBytes).toBe(0);
    (await bench.take(1, 0)).release();
    expect(bench.reads).toBe(2);
  });

  it('knows requests that are no whole block, and reads any range for them', async () => {
    const bench = makeBench(40_000, 32768, 1024 * 1024);
    expect(bench.content.isBlock(0, 16384, 16384)).toBe(true);
    expect(bench.content.isBlock(1, 0, 7232)).toBe(true);
    for (const [piece, begin, length] of [
      [0, 1, 16384],
      [0, 0, 100],
      [0, 0, 32768],
      [0, 32768, 16384],
      [1, 0, 16384],
    ] as const) {
      expect(bench.content.isBlock(piece, begin, length)).toBe(false);
    }
    expect(equalBytes(await bench.content.readRange(0, 5, 20_000), bench.space.subarray(5, 20_005))).toBe(true);
  });
});
