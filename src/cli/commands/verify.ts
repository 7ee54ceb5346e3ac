// shoal verify: hashes content on all cores and says which pieces and files are good, bad or missing.

import { resolve } from 'node:path';
import type { Bitfield } from '../../base/bitfield.ts';
import { ShoalError } from '../../base/errors.ts';
import { Geometry } from '../../metainfo/geometry.ts';
import { PieceChecks } from '../../metainfo/piece-check.ts';
import type { TorrentInfo } from '../../metainfo/types.ts';
import type { Content } from '../../ports/piece-io.ts';
import { Layout } from '../../storage/layout.ts';
import { contentRoot, joinPath } from '../../storage/safe-path.ts';
import { type VerifyResult, verifyContent } from '../../storage/verify.ts';
import { EXIT_FAILED } from '../errors.ts';
import { algorithmOf } from '../facts.ts';
import type { JsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { startProgress, type TaskState, taskProgress } from '../progress.ts';
import { formatRanges, rangesOf } from '../ranges.ts';
import { count } from '../render/quantities.ts';
import { watchSignals } from '../signals.ts';
import { type FileSource, readFileSource } from '../source.ts';
import { type ContentWorld, openContentWorld } from '../world.ts';

/** As many runs of bad pieces, and files, as a person reads; --json has them all. */
const MAX_SAID = 20;

export async function run(file: string, path: string, options: JsonOption): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_FAILED, word: () => '' });
  const env = await openContentWorld();
  try {
    const source = await readFileSource(file);
    const report = await stop.race(verify(env, source, path, stop.signal));
    if (options.json) printJson(report);
    else print(render(report));
    if (!report.complete) throw incomplete(report);
  } finally {
    await env.close();
  }
}

interface FileFault {
  readonly path: string;
  readonly fault: 'bad' | 'missing' | 'length';
}

interface VerifyReport {
  readonly name: string;
  /** What was looked at. */
  readonly path: string;
  readonly algorithm: string;
  readonly pieces: number;
  readonly good: number;
  readonly bad: number;
  readonly missing: number;
  /** Every piece is good, and every file is there with its length. */
  readonly complete: boolean;
  readonly badPieces: readonly (readonly [first: number, last: number])[];
  readonly missingPieces: readonly (readonly [first: number, last: number])[];
  readonly files: readonly FileFault[];
}

async function verify(env: ContentWorld, source: FileSource, path: string, signal: AbortSignal): Promise<VerifyReport> {
  const { info } = source.metainfo;
  const root = await contentRoot(env.files, info, resolve(path));
  const geometry = new Geometry(info);
  const layout = new Layout(info, geometry);
  const checks = new PieceChecks(info, source.metainfo.pieceLayers, env.hashes.sha256);
  const content = env.pieceIo.open(layout.spec(root, { writable: false, preallocate: false }));
  const task: TaskState = { name: info.name, state: 'checking', done: 0, total: info.lengthBytes };
  const progress = await startProgress(() => [taskProgress(task)]);
  try {
    const result = await verifyContent(
      env,
      { geometry, layout, checks, content },
      {
        signal,
        onProgress(done, total) {
          Object.assign(task, { done, total });
        },
      },
    );
    const files = [...(await fileFaults(layout, content, result)), ...(await linkFaults(env, layout, root))];
    const { good, bad, missing } = result;
    return {
      name: info.name,
      path: root,
      algorithm: algorithmOf(source.metainfo),
      pieces: info.pieceCount,
      good: good.count,
      bad: bad.count,
      missing: missing.count,
      complete: good.isFull && files.length === 0,
      badPieces: rangesOf(bad),
      missingPieces: rangesOf(missing),
      files: files.map((file) => ({ ...file, path: inTorrent(info, file.path) })),
    };
  } finally {
    progress.stop();
    await content.close();
  }
}

function inTorrent(info: TorrentInfo, path: string): string {
  return info.singleFile ? info.name : path;
}

/** Files that are not there, have another length, or have bytes in a bad piece. */
async function fileFaults(layout: Layout, content: Content, result: VerifyResult): Promise<FileFault[]> {
  const lengths = await lengthsOf(layout, content, result);
  const out: FileFault[] = [];
  for (let i = 0; i < lengths.length; i++) {
    const file = layout.files[i]!;
    const fault = Number.isNaN(lengths[i]!)
      ? 'missing'
      : lengths[i] !== file.lengthBytes
        ? 'length'
        : touches(layout.piecesOfFile(i), result.bad)
          ? 'bad'
          : null;
    if (fault !== null) out.push({ path: file.path.join('/'), fault });
  }
  return out;
}

/** By content file; NaN where none is there. Those that no piece was read of are looked at now. */
async function lengthsOf(layout: Layout, content: Content, { lengths }: VerifyResult): Promise<Float64Array> {
  const unread: number[] = [];
  for (let i = 0; i < layout.files.length; i++) if (Number.isNaN(lengths[i]!)) unread.push(i);
  if (unread.length === 0) return lengths;
  const out = lengths.slice();
  const states = await content.states(unread);
  for (const file of unread) if (states.at(file).exists) out[file] = states.at(file).lengthBytes;
  return out;
}

function touches(pieces: readonly [first: number, last: number] | null, field: Bitfield): boolean {
  if (pieces === null) return false;
  for (let piece = pieces[0]; piece <= pieces[1]; piece++) if (field.has(piece)) return true;
  return false;
}

/** Symlinks that are not there; what stands in their place (a copy of the target, say) is as good. */
async function linkFaults(env: ContentWorld, layout: Layout, root: string): Promise<FileFault[]> {
  const out: FileFault[] = [];
  for (const link of layout.symlinks) {
    const found = await env.files.info(joinPath(root, link.path), { follow: false });
    if (found === null) out.push({ path: link.path.join('/'), fault: 'missing' });
  }
  return out;
}

const FAULT_WORDS = { bad: 'has bad pieces', missing: 'is missing', length: 'has another length' };

function render(report: VerifyReport): string {
  const { pieces, good, bad, missing, algorithm } = report;
  const lines = [
    report.path,
    `verified ${count(pieces, 'piece')} (${algorithm}): ${good} good, ${bad} bad, ${missing} missing`,
  ];
  if (bad > 0) lines.push(`bad pieces: ${formatRanges(report.badPieces, MAX_SAID)}`);
  if (missing > 0) lines.push(`missing pieces: ${formatRanges(report.missingPieces, MAX_SAID)}`);
  for (const file of report.files.slice(0, MAX_SAID)) lines.push(`"${file.path}" ${FAULT_WORDS[file.fault]}`);
  if (report.files.length > MAX_SAID) lines.push(`and ${count(report.files.length - MAX_SAID, 'more file')}`);
  if (report.complete) lines.push('complete');
  return lines.join('\n');
}

function incomplete(report: VerifyReport): ShoalError {
  const { bad, missing, pieces } = report;
  const what =
    bad + missing > 0
      ? `${bad + missing} of ${count(pieces, 'piece')} bad or missing`
      : `all pieces are good, but not all files (${count(report.files.length, 'fault')})`;
  return new ShoalError('CONTENT_BAD', `${what}; 'shoal get' into the same place fetches just those`);
}
