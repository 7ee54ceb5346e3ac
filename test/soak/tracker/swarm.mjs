// The torrents that attackers name: a few thousand, so that what they leave behind has an upper bound.

const TORRENTS = 2000;

export function infoHash(chance) {
  const hash = Buffer.from('hostile-torrent-0000');
  hash.writeUInt32BE(chance.below(TORRENTS), 16);
  return hash;
}

export function escaped(bytes) {
  return [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}
