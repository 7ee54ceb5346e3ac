// The handshake of the extension protocol (BEP 10): which extensions a side takes under which ids, and what else it says.

import { fromUtf8Loose } from '../base/bytes.ts';
import { asBytes, asDict, asInteger, type BencodeDict } from '../bencode/decode.ts';
import { type Encodable, encode } from '../bencode/encode.ts';
import { readMessageDict } from './message-dict.ts';
import { MAX_METADATA_BYTES } from './metadata.ts';

/** What is null was not said, or made no sense. */
export interface ExtendedHandshake {
  /**
   * Extensions by name, with the id (1 to 255) that their messages to the sender carry. An id of 0 turns one off. A
   * later handshake of the same connection names only what changes.
   */
  readonly ids: ReadonlyMap<string, number>;
  /** Client and version, fit to be shown: no control characters, 64 characters at most. */
  readonly client: string | null;
  /** TCP port that the sender listens on. */
  readonly port: number | null;
  /** Requests that the sender keeps waiting at most. */
  readonly requestQueue: number | null;
  /** Length of the info dictionary (BEP 9), if the sender has it; at most {@link MAX_METADATA_BYTES}. */
  readonly metadataBytes: number | null;
  /** The sender wants nothing: a seed or a partial seed (BEP 21). False where not said. */
  readonly uploadOnly: boolean;
  /** The receiver's own IP address, as the sender sees it: 4 or 16 bytes, owned. */
  readonly yourIp: Uint8Array | null;
  /** Other addresses of the sender: 4 and 16 bytes, owned. */
  readonly ipv4: Uint8Array | null;
  readonly ipv6: Uint8Array | null;
}

/** Names kept of one handshake: a peer can have the memory of no more. Clients name about ten. */
const MAX_NAMES = 64;
const MAX_NAME_LENGTH = 32;

const MAX_CLIENT_CHARACTERS = 64;
/** In UTF-8 a character has 4 bytes at most. */
const MAX_CLIENT_BYTES: number = 4 * MAX_CLIENT_CHARACTERS;

/** Payload of extended message 0. What is left out or null is not said. */
export function encodeExtendedHandshake(handshake: Partial<ExtendedHandshake>): Uint8Array {
  const dict = new Map<string, Encodable>([['m', handshake.ids ?? new Map<string, number>()]]);
  const say = (key: string, value: Encodable | null | undefined): void => {
    if (value !== null && value !== undefined) dict.set(key, value);
  };
  say('ipv4', handshake.ipv4);
  say('ipv6', handshake.ipv6);
  say('metadata_size', handshake.metadataBytes);
  say('p', handshake.port);
  say('reqq', handshake.requestQueue);
  say('upload_only', handshake.uploadOnly ? 1 : null);
  say('v', handshake.client);
  say('yourip', handshake.yourIp);
  return encode(dict);
}

/** Null where the payload is no dictionary. A value of the wrong type or range counts as not said. */
export function decodeExtendedHandshake(payload: Uint8Array): ExtendedHandshake | null {
  const dict = readMessageDict(payload)?.dict;
  if (dict === undefined) return null;
  const yourIp = bytesOf(dict, 'yourip', 4) ?? bytesOf(dict, 'yourip', 16);
  return {
    ids: idsOf(asDict(dict.get('m'))),
    client: clientOf(asBytes(dict.get('v'))),
    port: numberOf(dict, 'p', 65535),
    requestQueue: numberOf(dict, 'reqq', Number.MAX_SAFE_INTEGER),
    metadataBytes: numberOf(dict, 'metadata_size', MAX_METADATA_BYTES),
    uploadOnly: (asInteger(dict.get('upload_only')) ?? 0) !== 0,
    yourIp,
    ipv4: bytesOf(dict, 'ipv4', 4),
    ipv6: bytesOf(dict, 'ipv6', 16),
  };
}

function idsOf(names: BencodeDict | null): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const [name, value] of names ?? []) {
    const id = asInteger(value, 0);
    if (id === null || id > 255 || name.length > MAX_NAME_LENGTH) continue;
    ids.set(name, id);
    if (ids.size === MAX_NAMES) break;
  }
  return ids;
}

/** From 1 to `most`. */
function numberOf(dict: BencodeDict, key: string, most: number): number | null {
  const value = asInteger(dict.get(key), 1);
  return value === null || value > most ? null : value;
}

function bytesOf(dict: BencodeDict, key: string, length: number): Uint8Array | null {
  const bytes = asBytes(dict.get(key));
  return bytes?.length === length ? new Uint8Array(bytes) : null;
}

/** It goes to terminals, logs and pages: characters that steer them (controls, direction marks) are taken out. */
function clientOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const text = fromUtf8Loose(bytes.subarray(0, MAX_CLIENT_BYTES)).replace(/\p{C}/gu, '').trim();
  return Array.from(text).slice(0, MAX_CLIENT_CHARACTERS).join('') || null;
}
