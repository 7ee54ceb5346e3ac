// The extension protocol (BEP 10) with one peer: which extensions it has named, and their messages told apart.

import { EMPTY } from '../base/bytes.ts';
import { decodeExtendedHandshake, encodeExtendedHandshake } from '../wire/extended.ts';
import { decodeDontHave, decodeUploadOnly } from '../wire/small-extensions.ts';

/** The ids under which we take messages: our own choice, named in our extended handshake. */
const OWN_IDS = { ut_metadata: 1, upload_only: 2, lt_donthave: 3 } as const;

export type ExtensionName = keyof typeof OWN_IDS;

export interface ExtensionOffer {
  /** Client and version, for people. */
  readonly client: string;
  /** Our listening port; null where we do not listen. */
  readonly port: number | null;
  /** Requests the remote may have waiting here. */
  readonly requestQueue: number;
  /** Length of the info dictionary; null while we do not have it. */
  readonly metadataBytes: number | null;
  readonly uploadOnly: boolean;
  /** The remote's IP address as we see it. */
  readonly yourIp: Uint8Array;
}

export type ExtensionMessage =
  | { readonly kind: 'handshake'; readonly uploadOnly: boolean }
  | { readonly kind: 'metadata'; readonly payload: Uint8Array }
  | { readonly kind: 'upload-only'; readonly on: boolean }
  | { readonly kind: 'dont-have'; readonly piece: number }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'fault'; readonly why: string };

export class Extensions {
  /** Whether both sides speak BEP 10. */
  readonly supported: boolean;
  client: string | null = null;
  /** Port the remote listens on. */
  port: number | null = null;
  /** Requests it lets us have waiting; null where it did not say. */
  requestQueue: number | null = null;
  metadataBytes: number | null = null;
  readonly #ids: Map<string, number> = new Map();

  constructor(supported: boolean) {
    this.supported = supported;
  }

  /** Payload of our extended handshake. */
  offer(offer: ExtensionOffer): Uint8Array {
    if (!this.supported) return EMPTY;
    return encodeExtendedHandshake({ ...offer, ids: new Map(Object.entries(OWN_IDS)) });
  }

  /** The id the remote takes this extension under; 0 where it does not. */
  remoteId(name: ExtensionName): number {
    return this.#ids.get(name) ?? 0;
  }

  /** Tells what a message is. `payload` is borrowed, and so is what the result holds of it. */
  read(id: number, payload: Uint8Array): ExtensionMessage {
    switch (id) {
      case 0:
        return this.#handshake(payload);
      case OWN_IDS.ut_metadata:
        return { kind: 'metadata', payload };
      case OWN_IDS.upload_only: {
        const on = decodeUploadOnly(payload);
        return on === null ? { kind: 'unknown' } : { kind: 'upload-only', on };
      }
      case OWN_IDS.lt_donthave: {
        const piece = decodeDontHave(payload);
        return piece === null ? { kind: 'fault', why: 'lt_donthave: wrong length' } : { kind: 'dont-have', piece };
      }
      default:
        return { kind: 'unknown' };
    }
  }

  #handshake(payload: Uint8Array): ExtensionMessage {
    const read = decodeExtendedHandshake(payload);
    if (read === null) return { kind: 'fault', why: 'malformed extended handshake' };
    // A later handshake names what has changed; id 0 turns an extension off (BEP 10).
    for (const name of Object.keys(OWN_IDS)) this.#ids.set(name, read.ids.get(name) ?? this.#ids.get(name) ?? 0);
    this.client = read.client ?? this.client;
    this.port = read.port ?? this.port;
    this.requestQueue = read.requestQueue ?? this.requestQueue;
    // Metadata does not change: one who claims ever new lengths would have us try them all.
    this.metadataBytes ??= read.metadataBytes;
    return { kind: 'handshake', uploadOnly: read.uploadOnly };
  }
}
