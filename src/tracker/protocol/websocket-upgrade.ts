// How an HTTP connection becomes a WebSocket (RFC 6455, section 4): the head that the client sends, and the server's.

import { fromLatin1, latin1 } from '../../base/bytes.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const VERSION = '13';

/** Fields of a request that asks for a WebSocket; null where it does not have them. */
export interface UpgradeFields {
  readonly upgrade: string | null;
  readonly connection: string | null;
  readonly key: string | null;
  readonly version: string | null;
}

/**
 * Null, or the HTTP status to answer with. Extensions and subprotocols are passed over: the reply names none, so none is
 * in use, compression neither. It would cost more memory a connection than all else together.
 */
export function upgradeFault({ upgrade, connection, key, version }: UpgradeFields): 400 | 426 | null {
  if (!hasToken(upgrade, 'websocket') || !hasToken(connection, 'upgrade')) return 400;
  if (version !== VERSION) return 426;
  // 16 bytes in base64.
  return key !== null && /^[A-Za-z0-9+/]{22}==$/.test(key) ? null : 400;
}

/** `Sec-WebSocket-Accept` for a key. */
export function acceptOf(key: string, sha1: (bytes: Uint8Array) => Uint8Array): string {
  return btoa(latin1(sha1(fromLatin1(key + GUID))));
}

/** The whole reply of a server that agrees. */
export function upgradeReply(accept: string): Uint8Array {
  return fromLatin1(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
}

/** The whole request of a client. `nonce`: 16 random bytes. */
export function upgradeRequest(host: string, path: string, nonce: Uint8Array): Uint8Array {
  const key = btoa(latin1(nonce));
  return fromLatin1(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: ${VERSION}\r\n\r\n`,
  );
}

function hasToken(field: string | null, token: string): boolean {
  return (field ?? '').split(',').some((each) => each.trim().toLowerCase() === token);
}
