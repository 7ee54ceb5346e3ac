// Two extension messages of a few bytes: upload_only (BEP 21 as a message) and lt_donthave (BEP 54).

import { readU32, writeU32 } from '../base/bytes.ts';

/** Payload of upload_only: whether the sender wants nothing (more) from anybody. */
export function encodeUploadOnly(on: boolean): Uint8Array {
  return Uint8Array.of(on ? 1 : 0);
}

/** Null where the payload is not one byte. */
export function decodeUploadOnly(payload: Uint8Array): boolean | null {
  return payload.length === 1 ? payload[0] !== 0 : null;
}

/** Payload of lt_donthave: the sender has this piece no longer. */
export function encodeDontHave(piece: number): Uint8Array {
  const out = new Uint8Array(4);
  writeU32(out, 0, piece);
  return out;
}

/** The piece, unchecked; null where the payload is not four bytes. */
export function decodeDontHave(payload: Uint8Array): number | null {
  return payload.length === 4 ? readU32(payload, 0) : null;
}
