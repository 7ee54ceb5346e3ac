// The bytes of a journal: what they mean, how they are written, and how they are read back after a crash.
//
//   journal   header record*
//   header    "SHOALJNL" version(1) hashLength(1) infoHash(32) pieceCount(4) fileCount(4) crc(4)
//   record    bodyLength(4) type(1) body crc(4)            crc covers everything before it in the record
//
//   snapshot  clean(1) stamp verified(bitfield) doubtful(bitfield) files    always the first record
//   batch     stamp won(count, pieces) lost(count, pieces) files            one flush
//   writing   wallMs(8)                                                     a run begins to write
//   stamp     wallMs(8) uploaded(8) downloaded(8)
//   files     count(4) { index(4) lengthBytes(8) mtimeMs(8) }*
//
// Integers are big-endian and unsigned, numbers of 8 bytes are IEEE doubles, pieces are 4 bytes each.

import { Bitfield } from '../base/bitfield.ts';
import { equalBytes, fromLatin1, readU32, writeU32 } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { ByteCursor, ByteWriter } from './byte-cursor.ts';
import { crc32 } from './crc32.ts';
import { type FileRecord, type JournalBatch, JournalState } from './journal-state.ts';

const MAGIC = fromLatin1('SHOALJNL');
const VERSION = 1;
const LONGEST_HASH = 32;
const HEADER_BYTES: number = MAGIC.length + 2 + LONGEST_HASH + 4 + 4 + 4;
const RECORD_OVERHEAD_BYTES = 9;
const FILE_ENTRY_BYTES = 20;

const SNAPSHOT = 1;
const BATCH = 2;
const WRITING = 3;

/** Which torrent a journal belongs to. */
export interface JournalIdentity {
  /** 20 or 32 bytes. */
  readonly infoHash: Uint8Array;
  readonly pieceCount: number;
  readonly fileCount: number;
}

/** `damaged`: not a journal of this torrent, or its beginning cannot be read; nothing in it is used. */
export type DecodedJournal =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'damaged' }
  /** `torn`: something unreadable follows the last whole record, and was left out. */
  | { readonly kind: 'read'; readonly state: JournalState; readonly torn: boolean };

/** A whole journal that says what `state` says. */
export function encodeSnapshot(identity: JournalIdentity, state: JournalState): Uint8Array {
  const files = state.recordedFiles();
  const out = new ByteWriter(snapshotBytes(identity, files.length));
  writeHeader(out, identity);
  const at = beginRecord(out, SNAPSHOT);
  out.u8(state.clean ? 1 : 0);
  writeStamp(out, state);
  out.bytes(state.verified.bytes);
  out.bytes(state.doubtful.bytes);
  writeFiles(out, files);
  endRecord(out, at);
  return out.finish();
}

/** Size of a snapshot that records `recordedFiles` files. */
export function snapshotBytes(identity: JournalIdentity, recordedFiles: number): number {
  const fields = 2 * Math.ceil(identity.pieceCount / 8);
  return HEADER_BYTES + RECORD_OVERHEAD_BYTES + 1 + 24 + fields + 4 + recordedFiles * FILE_ENTRY_BYTES;
}

/** One record. */
export function encodeBatch(batch: JournalBatch): Uint8Array {
  const pieces = batch.won.length + batch.lost.length;
  const out = new ByteWriter(RECORD_OVERHEAD_BYTES + 24 + 12 + 4 * pieces + batch.files.length * FILE_ENTRY_BYTES);
  const at = beginRecord(out, BATCH);
  writeStamp(out, batch);
  writePieces(out, batch.won);
  writePieces(out, batch.lost);
  writeFiles(out, batch.files);
  endRecord(out, at);
  return out.finish();
}

/** One record: from now on files may be newer than recorded. */
export function encodeWriting(wallMs: number): Uint8Array {
  const out = new ByteWriter(RECORD_OVERHEAD_BYTES + 8);
  const at = beginRecord(out, WRITING);
  out.f64(wallMs);
  endRecord(out, at);
  return out.finish();
}

/** Reads a journal as it was found; nothing in it is taken on trust. STATE_VERSION where a newer Shoal wrote it. */
export function decodeJournal(bytes: Uint8Array, identity: JournalIdentity): DecodedJournal {
  if (bytes.length === 0) return { kind: 'fresh' };
  const { pieceCount, fileCount } = identity;
  if (!readHeader(bytes, identity)) return { kind: 'damaged' };
  const state = new JournalState(pieceCount, fileCount);
  let at = HEADER_BYTES;
  while (at + RECORD_OVERHEAD_BYTES <= bytes.length) {
    const end = at + RECORD_OVERHEAD_BYTES + readU32(bytes, at);
    if (end > bytes.length || crc32(bytes, at, end - 4) !== readU32(bytes, end - 4)) break;
    const isFirst = at === HEADER_BYTES;
    const type = bytes[at + 4]!;
    if ((type === SNAPSHOT) !== isFirst) break;
    if (!readRecord(type, new ByteCursor(bytes.subarray(at + 5, end - 4)), state)) break;
    at = end;
  }
  if (at === HEADER_BYTES) return { kind: 'damaged' };
  const torn = at !== bytes.length;
  if (torn) state.clean = false;
  return { kind: 'read', state, torn };
}

function writeHeader(out: ByteWriter, identity: JournalIdentity): void {
  const hash = new Uint8Array(LONGEST_HASH);
  hash.set(identity.infoHash);
  out.bytes(MAGIC);
  out.u8(VERSION);
  out.u8(identity.infoHash.length);
  out.bytes(hash);
  out.u32(identity.pieceCount);
  out.u32(identity.fileCount);
  out.u32(crc32(out.written()));
}

function readHeader(bytes: Uint8Array, identity: JournalIdentity): boolean {
  if (bytes.length < HEADER_BYTES || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return false;
  const version = bytes[MAGIC.length]!;
  if (version > VERSION) {
    const advice = 'use the newer Shoal, or another --state folder';
    throw new ShoalError(
      'STATE_VERSION',
      `the journal of a torrent has version ${version}, newer than known: ${advice}`,
    );
  }
  const expected = new ByteWriter(HEADER_BYTES);
  writeHeader(expected, identity);
  return equalBytes(bytes.subarray(0, HEADER_BYTES), expected.finish());
}

function readRecord(type: number, body: ByteCursor, state: JournalState): boolean {
  if (type === WRITING) {
    state.wallMs = body.f64();
    state.clean = false;
    return body.isDone;
  }
  if (type === SNAPSHOT) return readSnapshot(body, state);
  return type === BATCH && readBatch(body, state);
}

function readSnapshot(body: ByteCursor, state: JournalState): boolean {
  state.clean = body.u8() === 1;
  state.wallMs = body.f64();
  state.uploaded = body.f64();
  state.downloaded = body.f64();
  const verified = readField(body, state.verified);
  const doubtful = readField(body, state.doubtful);
  const files = readFiles(body, state.mtimeMs.length);
  if (!verified || !doubtful || files === null || !body.isDone) return false;
  state.applyFiles(files);
  return true;
}

function readBatch(body: ByteCursor, state: JournalState): boolean {
  const wallMs = body.f64();
  const uploaded = body.f64();
  const downloaded = body.f64();
  const won = readPieces(body, state.verified.length);
  const lost = readPieces(body, state.verified.length);
  const files = readFiles(body, state.mtimeMs.length);
  if (won === null || lost === null || files === null || !body.isDone) return false;
  state.apply({ wallMs, uploaded, downloaded, won, lost, files });
  return true;
}

function readField(body: ByteCursor, into: Bitfield): boolean {
  const field = Bitfield.fromWire(into.length, body.bytes(into.bytes.length));
  field?.forEach((piece) => {
    into.set(piece);
  });
  return field !== null;
}

function readPieces(body: ByteCursor, pieceCount: number): number[] | null {
  const count = body.u32();
  if (count * 4 > body.left) return null;
  const pieces: number[] = [];
  for (let i = 0; i < count; i++) {
    const piece = body.u32();
    if (piece >= pieceCount) return null;
    pieces.push(piece);
  }
  return pieces;
}

function readFiles(body: ByteCursor, fileCount: number): FileRecord[] | null {
  const count = body.u32();
  if (count * FILE_ENTRY_BYTES > body.left) return null;
  const files: FileRecord[] = [];
  for (let i = 0; i < count; i++) {
    const file = { index: body.u32(), lengthBytes: body.f64(), mtimeMs: body.f64() };
    if (file.index >= fileCount) return null;
    files.push(file);
  }
  return files;
}

function writeStamp(out: ByteWriter, stamp: { wallMs: number; uploaded: number; downloaded: number }): void {
  out.f64(stamp.wallMs);
  out.f64(stamp.uploaded);
  out.f64(stamp.downloaded);
}

function writePieces(out: ByteWriter, pieces: readonly number[]): void {
  out.u32(pieces.length);
  for (const piece of pieces) out.u32(piece);
}

function writeFiles(out: ByteWriter, files: readonly FileRecord[]): void {
  out.u32(files.length);
  for (const file of files) {
    out.u32(file.index);
    out.f64(file.lengthBytes);
    out.f64(file.mtimeMs);
  }
}

/** Returns where the record begins, for {@link endRecord}. */
function beginRecord(out: ByteWriter, type: number): number {
  const at = out.length;
  out.u32(0);
  out.u8(type);
  return at;
}

function endRecord(out: ByteWriter, at: number): void {
  const record = out.written().subarray(at);
  writeU32(record, 0, record.length - 5);
  out.u32(crc32(record));
}
