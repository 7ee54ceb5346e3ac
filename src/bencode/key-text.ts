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

/** Arguments a call can take differ by engine; 4096 is safe in all. */
const CALL_ARGUMENTS = 4096;

function latin1Text(bytes: Uint8Array, start: number, length: number): string {
  let out = '';
  for (let at = start; at < start + length; at += CALL_ARGUMENTS) {
    out += String.fromCharCode(...bytes.subarray(at, Math.min(at + CALL_ARGUMENTS, start + length)));
  }
  return out;
}
