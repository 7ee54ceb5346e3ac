// Identities: peer ids (BEP 20) and the keys that maps of torrents use.

import { fromLatin1, latin1 } from './bytes.ts';

/** Azureus-style prefix: client `SH`, version 0.1.0.0. */
export const PEER_ID_PREFIX = '-SH0100-';

/** 20 bytes: the prefix and 12 random characters. `fill` overwrites its argument with random bytes. */
export function makePeerId(fill: (bytes: Uint8Array) => void): Uint8Array {
  const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_';
  const noise = new Uint8Array(12);
  fill(noise);
  const tail = Array.from(noise, (byte) => alphabet[byte & 63]).join('');
  return fromLatin1(PEER_ID_PREFIX + tail);
}

/** `-TR3000-` and the like as a name and version; null for ids of no known shape. */
export function clientName(peerId: Uint8Array): string | null {
  const text = latin1(peerId.subarray(0, 8));
  const match = /^-([A-Za-z~][A-Za-z~0-9])([0-9A-Za-z]{4})-$/.exec(text);
  if (!match) return null;
  const name = CLIENTS[match[1]!] ?? match[1]!;
  const version = match[2]!
    .split('')
    .join('.')
    .replace(/(\.0)+$/, '');
  return `${name} ${version}`;
}

const CLIENTS: Readonly<Record<string, string>> = {
  A2: 'aria2',
  DE: 'Deluge',
  LT: 'libtorrent',
  lt: 'rTorrent',
  qB: 'qBittorrent',
  SH: 'Shoal',
  TR: 'Transmission',
  UT: 'µTorrent',
  WW: 'WebTorrent',
  rQ: 'rqbit',
};
