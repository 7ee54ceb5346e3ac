// What the tracker's threads and the site's thread say to each other. Plain data; large arrays change hands.

import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../../base/errors.ts';
import type { LogLevel } from '../../ports/log.ts';
import type { AccessMemory, AccessMode } from './access-gate.ts';

/** How the site's thread is started. */
export interface SiteThreadOptions {
  readonly databasePath: string;
  readonly mode: AccessMode;
  readonly publicUrl: string | null;
  readonly maxUploadBytes: number;
}

export interface SiteRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array | null;
  /** The client, for the limit on wrong tokens. */
  readonly address: string;
}

export interface SiteResponse {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export type ToSite =
  | { readonly kind: 'request'; readonly id: number; readonly request: SiteRequest }
  | { readonly kind: 'ledger'; readonly batch: Float64Array }
  /** Seeds and leeches in turn, one pair for each info hash that was asked for; none: they cannot be counted now. */
  | { readonly kind: 'counts'; readonly id: number; readonly counts: Uint32Array }
  | { readonly kind: 'close' };

export type FromSite =
  | { readonly kind: 'ready'; readonly memory: AccessMemory }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'response'; readonly id: number; readonly response: SiteResponse }
  | { readonly kind: 'memory'; readonly memory: AccessMemory }
  /** `hashes` has 20 bytes for each. */
  | { readonly kind: 'count'; readonly id: number; readonly hashes: Uint8Array }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly error: string };

/** What a worker thread of the tracker is given of the site. */
export interface SiteShare {
  readonly mode: AccessMode;
  readonly memory: AccessMemory;
  readonly maxUploadBytes: number;
  readonly maxBodyBytes: number;
  /** To the first thread: {@link FromGuest}, {@link ToGuest}. */
  readonly port: MessagePort;
  /** One word that counts how often the tables were replaced; `seen`: what it was with these. */
  readonly version: SharedArrayBuffer;
  readonly seen: number;
}

export type FromGuest =
  | { readonly kind: 'request'; readonly id: number; readonly request: SiteRequest }
  | { readonly kind: 'ledger'; readonly batch: Float64Array };

export type ToGuest =
  | { readonly kind: 'response'; readonly id: number; readonly response: SiteResponse }
  | { readonly kind: 'fault'; readonly id: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'memory'; readonly memory: AccessMemory; readonly version: number };
