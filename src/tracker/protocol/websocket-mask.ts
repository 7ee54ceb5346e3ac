// The masking of WebSocket payloads (RFC 6455, section 5.3): every byte is combined with one of four, in turn.

/** Words are worth their view from this length on. */
const WORDS_FROM = 128;
const isLittleEndian: boolean = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Masks or unmasks `bytes[start..end)` in place with the four bytes at `keyAt` of `key`. */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: Uint8Array, keyAt: number): void {
  const k0 = key[keyAt]!;
  const k1 = key[keyAt + 1]!;
  const k2 = key[keyAt + 2]!;
  const k3 = key[keyAt + 3]!;
  if ((k0 | k1 | k2 | k3) === 0) return;
  let at = start;
  if (end - start >= WORDS_FROM && isLittleEndian) {
    const keys = [k0, k1, k2, k3];
    while (((bytes.byteOffset + at) & 3) !== 0) bytes[at] = bytes[at]! ^ keys[(at++ - start) & 3]!;
    const turn = (at - start) & 3;
    const word =
      keys[turn]! | (keys[(turn + 1) & 3]! << 8) | (keys[(turn + 2) & 3]! << 16) | (keys[(turn + 3) & 3]! << 24);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
    for (let i = 0; i < words.length; i++) words[i] = words[i]! ^ word;
    at += words.length * 4;
    for (; at < end; at++) bytes[at] = bytes[at]! ^ keys[(at - start) & 3]!;
    return;
  }
  for (; at + 3 < end; at += 4) {
    bytes[at] = bytes[at]! ^ k0;
    bytes[at + 1] = bytes[at + 1]! ^ k1;
    bytes[at + 2] = bytes[at + 2]! ^ k2;
    bytes[at + 3] = bytes[at + 3]! ^ k3;
  }
  if (at < end) bytes[at] = bytes[at]! ^ k0;
  if (at + 1 < end) bytes[at + 1] = bytes[at + 1]! ^ k1;
  if (at + 2 < end) bytes[at + 2] = bytes[at + 2]! ^ k2;
}
