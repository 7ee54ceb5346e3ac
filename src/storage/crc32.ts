// CRC-32 (IEEE 802.3, reflected): tells a record that was torn by a crash from a whole one.

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of `bytes[from, to)`, unsigned. */
export function crc32(bytes: Uint8Array, from = 0, to: number = bytes.length): number {
  let value = 0xffffffff;
  for (let i = from; i < to; i++) value = (value >>> 8) ^ TABLE[(value ^ bytes[i]!) & 0xff]!;
  return (value ^ 0xffffffff) >>> 0;
}
