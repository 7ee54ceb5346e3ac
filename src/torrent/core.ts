// The content side of a torrent, open and checked: what it is, where it lies, which pieces are good.

import type { Bitfield } from '../base/bitfield.ts';
import { ShoalError } from '../base/errors.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { PieceChecks } from '../metainfo/piece-check.ts';
import type { Metainfo, TorrentInfo } from '../metainfo/types.ts';
import { Picker } from '../picker/picker.ts';
import type { Content } from '../ports/piece-io.ts';
import { Journal, type ResumeState } from '../storage/journal.ts';
import { Layout } from '../storage/layout.ts';
import { verifyContent } from '../storage/verify.ts';
import type { TorrentHost, TorrentOptions } from './context.ts';

export interface Core {
  readonly metainfo: Metainfo;
  readonly info: TorrentInfo;
  readonly geometry: Geometry;
  readonly layout: Layout;
  readonly checks: PieceChecks;
  readonly content: Content;
  readonly journal: Journal;
  /** Made when it is first looked at: what is complete needs none while nobody comes. */
  readonly picker: Picker;
  /** Verified and written pieces. */
  readonly have: Bitfield;
  /** Payload in earlier runs. */
  readonly uploadedBefore: number;
  readonly downloadedBefore: number;
  readonly contentPath: string;
  /** No piece that is wanted is missing. */
  isDone(): boolean;
  isSelected(piece: number): boolean;
}

export interface OpenProgress {
  /** Bytes hashed and to be hashed. */
  onChecked(doneBytes: number, totalBytes: number): void;
  /** The journal or the disk under it failed: what is verified from here on would be lost. */
  onJournalFault(error: unknown): void;
}

/**
 * Opens content and journal, and hashes what is doubtful: everything where it was asked for, else what the journal does
 * not vouch for. In `seed` mode a missing or bad piece is CONTENT_BAD.
 */
export async function openCore(
  host: TorrentHost,
  options: TorrentOptions,
  metainfo: Metainfo,
  contentPath: string,
  progress: OpenProgress,
  signal: AbortSignal,
): Promise<Core> {
  const { env } = host;
  const { info } = metainfo;
  const geometry = new Geometry(info);
  const layout = new Layout(info, geometry);
  const checks = new PieceChecks(info, metainfo.pieceLayers, env.hashes.sha256);
  const writable = options.mode === 'get';
  const content = env.pieceIo.open(layout.spec(contentPath, { writable, preallocate: options.preallocate }));
  let journal: Journal | null = null;
  try {
    const opened = await Journal.open({
      store: env.store,
      clock: env.clock,
      log: env.log,
      key: `${options.storeKey}/journal`,
      infoHash: info.infoHashV1 ?? info.infoHashV2!,
      contentPath,
      layout,
      content,
      pieceCount: info.pieceCount,
      onFault: progress.onJournalFault,
    });
    journal = opened.journal;
    const have = opened.resume.verified;
    const doubtful = await doubtfulPieces(opened.resume, options, content, geometry);
    if (options.recheck === 'never') trust();
    else if (doubtful) await check(doubtful);
    let picker = have.isFull && !options.only ? null : makePicker();
    if (options.mode === 'seed' && picker) refuseBadContent(have, picker, info, contentPath);
    return {
      metainfo,
      info,
      geometry,
      layout,
      checks,
      content,
      journal,
      get picker() {
        picker ??= makePicker();
        return picker;
      },
      have,
      uploadedBefore: opened.resume.uploaded,
      downloadedBefore: opened.resume.downloaded,
      contentPath,
      isDone: () => picker === null || picker.wantedLeft === 0,
      isSelected: (piece) => picker === null || picker.priority(piece) > 0,
    };

    function trust(): void {
      for (let piece = 0; piece < info.pieceCount; piece++) if (have.set(piece)) journal!.pieceVerified(piece, 0);
    }

    async function check(pieces: Bitfield): Promise<void> {
      const found = await verifyContent(
        env,
        { geometry, layout, checks, content },
        { pieces, onProgress: progress.onChecked, signal },
      );
      pieces.forEach((piece) => {
        const good = found.good.has(piece);
        if (good && have.set(piece)) journal!.pieceVerified(piece, geometry.dataBytes(piece));
        if (!good && have.clear(piece)) journal!.pieceLost(piece);
      });
    }

    function makePicker(): Picker {
      const made = new Picker(geometry, env.random);
      have.forEach((piece) => {
        made.setVerified(piece);
      });
      for (let piece = 0; piece < info.pieceCount; piece++) if (!checks.isKnown(piece)) made.setHashKnown(piece, false);
      if (options.only) selectFiles(made, layout, info, options.only);
      made.setSequential(options.sequential);
      made.rivals.setOwn(host.peerId);
      return made;
    }
  } catch (error) {
    await journal?.close(false);
    await content.close();
    throw error;
  }
}

/** Which pieces must be hashed before their state is known; null: none. Nobody sends pieces of padding only. */
async function doubtfulPieces(
  resume: ResumeState,
  options: TorrentOptions,
  content: Content,
  geometry: Geometry,
): Promise<Bitfield | null> {
  const pieces = resume.recheck.copy();
  for (let piece = 0; geometry.hasPadding && piece < geometry.pieceCount; piece++) {
    if (geometry.blockCount(piece) === 0 && !resume.verified.has(piece)) pieces.set(piece);
  }
  if (options.recheck === 'always' || (resume.fresh && (options.mode === 'seed' || (await anythingThere(content))))) {
    pieces.setAll();
  }
  return pieces.isEmpty ? null : pieces;
}

async function anythingThere(content: Content): Promise<boolean> {
  const states = await content.states();
  for (let file = 0; file < states.count; file++) if (states.at(file).lengthBytes > 0) return true;
  return false;
}

function refuseBadContent(have: Bitfield, picker: Picker, info: TorrentInfo, contentPath: string): void {
  const bad: number[] = [];
  for (let piece = 0; piece < info.pieceCount; piece++) {
    if (!have.has(piece) && picker.priority(piece) > 0) bad.push(piece);
  }
  if (bad.length === 0) return;
  const shown = `${bad.slice(0, 10).join(', ')}${bad.length > 10 ? ', …' : ''}`;
  throw new ShoalError(
    'CONTENT_BAD',
    `${contentPath}: ${bad.length} of ${info.pieceCount} pieces are bad or missing (${shown}); "shoal get" mends it`,
  );
}

/** Pieces that no selected file touches are not wanted. */
function selectFiles(
  picker: Picker,
  layout: Layout,
  info: TorrentInfo,
  only: (path: string, index: number) => boolean,
): void {
  for (let piece = 0; piece < info.pieceCount; piece++) picker.setPriority(piece, 0);
  for (let i = 0; i < layout.files.length; i++) {
    const index = layout.torrentFileOf(i);
    const file = info.files[index]!;
    const pieces = layout.piecesOfFile(i);
    if (pieces === null || !only(file.path.join('/'), index)) continue;
    for (let piece = pieces[0]; piece <= pieces[1]; piece++) picker.setPriority(piece, 4);
  }
}
