// Keys of dictionaries as text, one character a byte; the same few keys come again with every file of a torrent.

/** Keys met lately, by a hash of their bytes. */
const recentKeys: string[] = new Array<string>(256).fill('');
const LONGEST_RECENT_KEY = 24;

/** `length` bytes from `start` on, one character each. */
export function keyText(bytes: Uint8Array, start: number, length: number): string {
  if (length === 0) return '';
  if (length > LONGEST_RECENT_KEY) return latin1Text(bytes, start, length);
  const end = start + length;
  let hash = length;
  for (let i = start; i < end; i++) hash = (hash * 31 + bytes[i]!) | 0;
  const slot = (hash ^ (hash >>> 8)) & 255;
  const known = recentKeys[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const text = latin1Text(bytes, start, length);
  recentKeys[slot] = text;
  return text;
}

/** Eight letters a call: for short texts, which most are, several times as fast as handing over an array of any length. */
function latin1Text(bytes: Uint8Array, start: number, length: number): string {
  const end = start + length;
  const lastEight = end - 8;
  let out = '';
  let i = start;
  for (; i <= lastEight; i += 8) {
    out += String.fromCharCode(
      bytes[i]!,
      bytes[i + 1]!,
      bytes[i + 2]!,
      bytes[i + 3]!,
      bytes[i + 4]!,
      bytes[i + 5]!,
      bytes[i + 6]!,
      bytes[i + 7]!,
    );
  }
  for (; i < end; i++) out += String.fromCharCode(bytes[i]!);
  return out;
}
