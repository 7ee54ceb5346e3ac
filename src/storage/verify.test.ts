import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leavesOf, noise, type SampleFile, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { inTreeOrder, type MetaKind } from '../metainfo/build.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { merkleRoot } from '../metainfo/merkle.ts';
import { parseMetainfo } from '../metainfo/parse.ts';
import { PieceChecks } from '../metainfo/piece-check.ts';
import { type Content, type HashJob, type HashOutcome, SPAN_STRIDE } from '../ports/piece-io.ts';
import { Layout } from './layout.ts';
import { type VerifyOptions, type VerifyResult, verifyContent } from './verify.ts';

/** Hashes files in memory as the port says it. */
function hash(job: HashJob, files: readonly Uint8Array[]): HashOutcome {
  const bytes = new Uint8Array(job.lengthBytes);
  for (let i = 0; i < job.spans.length; i += SPAN_STRIDE) {
    const [file, offset, at, length] = [...job.spans.subarray(i, i + SPAN_STRIDE)] as [number, number, number, number];
    const part = files[file]!.subarray(offset, offset + length);
    if (part.length < length) return { present: false, sha1: null, root: null, leaves: null };
    bytes.set(part, at);
  }
  const tree = bytes.subarray(0, job.treeBytes);
  const root = job.leafCount === 0 ? null : merkleRoot(leavesOf(tree), job.leafCount, testHashes.sha256);
  return { present: true, sha1: job.sha1 ? testHashes.sha1(bytes) : null, root, leaves: null };
}

interface Run {
  readonly files: Uint8Array[];
  readonly geometry: Geometry;
  readonly layout: Layout;
  hashed: number;
  verify(options?: VerifyOptions): Promise<VerifyResult>;
}

function makeRun(kind: MetaKind, lengths: readonly number[], fail?: () => void): Run {
  const files: SampleFile[] = lengths.map((length, i) => ({ path: [`f${i}`], bytes: noise(length, i + 1) }));
  const sample = sampleTorrent(files, { kind, pieceLengthBytes: 32768 });
  const { info, pieceLayers } = parseMetainfo(sample.metainfo, testHashes);
  const geometry = new Geometry(info);
  const layout = new Layout(info, geometry);
  const checks = new PieceChecks(info, pieceLayers, testHashes.sha256);
  const run: Run = {
    files: inTreeOrder(files).map((file) => file.bytes.slice()),
    geometry,
    layout,
    hashed: 0,
    verify: (options) => verifyContent({ pieceIo: { parallel: 2 } }, { geometry, layout, checks, content }, options),
  };
  const content = {
    hash: async (jobs: readonly HashJob[]) => {
      fail?.();
      run.hashed += jobs.length;
      return jobs.map((job) => hash(job, run.files));
    },
  } as unknown as Content;
  return run;
}

describe('full recheck', () => {
  it('tells good, bad and missing pieces apart, in every kind of torrent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<MetaKind>('v1', 'v2', 'hybrid'),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.record({ at: fc.nat(), cut: fc.boolean() }), { maxLength: 4 }),
        async (kind, lengths, damages) => {
          const run = makeRun(kind, lengths);
          for (const { at, cut } of damages) {
            const file = at % run.files.length;
            const bytes = run.files[file]!;
            if (bytes.length === 0) continue;
            if (cut) run.files[file] = bytes.subarray(0, at % bytes.length);
            else bytes[at % bytes.length]! ^= 1;
          }
          const original = makeRun(kind, lengths).files;
          const { good, bad, missing } = await run.verify();
          for (let piece = 0; piece < run.geometry.pieceCount; piece++) {
            const spans = run.layout.pieceSpans(piece);
            let expected = good;
            for (let i = 0; i < spans.length && expected !== missing; i += SPAN_STRIDE) {
              const [file, offset, , length] = [...spans.subarray(i, i + SPAN_STRIDE)] as [
                number,
                number,
                number,
                number,
              ];
              const now = run.files[file]!.subarray(offset, offset + length);
              const then = original[file]!.subarray(offset, offset + length);
              if (now.length < length) expected = missing;
              else if (now.some((byte, at) => byte !== then[at])) expected = bad;
            }
            for (const field of [good, bad, missing]) expect(field.has(piece)).toBe(field === expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('hashes only the pieces it was asked for, and tells its progress to the end', async () => {
    const run = makeRun('v1', [32768 * 10]);
    const { good } = await run.verify();
    const pieces = good.copy();
    pieces.clearAll();
    pieces.set(3);
    pieces.set(7);
    run.hashed = 0;
    const seen: [number, number][] = [];
    const result = await run.verify({ pieces, onProgress: (done, total) => seen.push([done, total]) });
    expect(run.hashed).toBe(2);
    expect([result.good.count, result.good.has(3), result.good.has(7)]).toEqual([2, true, true]);
    expect(seen[0]).toEqual([0, 65536]);
    expect(seen.at(-1)).toEqual([65536, 65536]);
  });

  it('stops with the reason of the signal', async () => {
    const abort = new AbortController();
    const reason = new Error('enough');
    const run = makeRun('v1', [32768 * 1200], () => abort.abort(reason));
    await expect(run.verify({ signal: abort.signal })).rejects.toBe(reason);
    expect(run.hashed).toBeLessThan(run.geometry.pieceCount);
  });

  it('passes a failing disk on and starts nothing more', async () => {
    let calls = 0;
    const run = makeRun('v1', [32768 * 1200], () => {
      calls++;
      throw new Error('broken');
    });
    await expect(run.verify()).rejects.toThrow('broken');
    expect(calls).toBeLessThanOrEqual(2);
  });
});
