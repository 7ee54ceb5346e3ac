// The info dictionary sent from peer to peer in pieces: messages of the ut_metadata extension (BEP 9).

import { concatBytes } from '../base/bytes.ts';
import { asInteger } from '../bencode/decode.ts';
import { encode } from '../bencode/encode.ts';
import { readMessageDict } from './message-dict.ts';

/** All pieces of the metadata but the last have this length. */
export const METADATA_PIECE_BYTES = 16384;

/**
 * Metadata claimed to be longer is not taken. 64 MiB are 3.3 million v1 pieces: 1.7 TB in pieces of 512 KiB. Whoever
 * fetches it reserves as it comes, for a remote may claim any length.
 */
export const MAX_METADATA_BYTES: number = 64 * 1024 * 1024;

export type MetadataMessage =
  | { readonly kind: 'request'; readonly piece: number }
  | {
      readonly kind: 'data';
      readonly piece: number;
      /** Of the whole metadata, as the remote says; at most {@link MAX_METADATA_BYTES}. */
      readonly totalBytes: number;
      /** Borrowed from the message. As many bytes as this piece of so much metadata has. */
      readonly data: Uint8Array;
    }
  | { readonly kind: 'reject'; readonly piece: number };

const REQUEST = 0;
const DATA = 1;
const REJECT = 2;

/** These three make the payload of an extended message. */
export function encodeMetadataRequest(piece: number): Uint8Array {
  return encode({ msg_type: REQUEST, piece });
}

/** `data` is the piece's bytes (copied), `totalBytes` the length of all of the metadata. */
export function encodeMetadataData(piece: number, totalBytes: number, data: Uint8Array): Uint8Array {
  return concatBytes([encode({ msg_type: DATA, piece, total_size: totalBytes }), data]);
}

export function encodeMetadataReject(piece: number): Uint8Array {
  return encode({ msg_type: REJECT, piece });
}

/** Null where the message is malformed or of a type unknown to us: both are to be ignored (BEP 9). */
export function decodeMetadata(payload: Uint8Array): MetadataMessage | null {
  const read = readMessageDict(payload);
  if (read === null) return null;
  const piece = asInteger(read.dict.get('piece'), 0);
  if (piece === null) return null;
  switch (asInteger(read.dict.get('msg_type'))) {
    case REQUEST:
      return { kind: 'request', piece };
    case DATA:
      return dataMessage(piece, asInteger(read.dict.get('total_size'), 1), payload.subarray(read.length));
    case REJECT:
      return { kind: 'reject', piece };
    default:
      return null;
  }
}

function dataMessage(piece: number, totalBytes: number | null, data: Uint8Array): MetadataMessage | null {
  if (totalBytes === null || totalBytes > MAX_METADATA_BYTES) return null;
  const restBytes = totalBytes - piece * METADATA_PIECE_BYTES;
  if (restBytes <= 0 || data.length !== Math.min(METADATA_PIECE_BYTES, restBytes)) return null;
  return { kind: 'data', piece, totalBytes, data };
}
