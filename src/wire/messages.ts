// The messages by number (BEP 3, 5, 6, 10, 52): what follows the four bytes of the length.

export const CHOKE = 0;
export const UNCHOKE = 1;
export const INTERESTED = 2;
export const NOT_INTERESTED = 3;
/** piece */
export const HAVE = 4;
/** one bit a piece */
export const BITFIELD = 5;
/** piece, begin, length */
export const REQUEST = 6;
/** piece, begin, the block */
export const PIECE = 7;
/** piece, begin, length */
export const CANCEL = 8;
/** UDP port of the sender's DHT node, two bytes (BEP 5) */
export const PORT = 9;
/** piece (BEP 6) */
export const SUGGEST = 13;
export const HAVE_ALL = 14;
export const HAVE_NONE = 15;
/** piece, begin, length (BEP 6) */
export const REJECT = 16;
/** piece (BEP 6) */
export const ALLOWED_FAST = 17;
/** extended id (one byte), payload (BEP 10) */
export const EXTENDED = 20;
/** query (BEP 52) */
export const HASH_REQUEST = 21;
/** query, hashes (BEP 52) */
export const HASHES = 22;
/** query (BEP 52) */
export const HASH_REJECT = 23;

/** Bytes of the length that begins every message and does not count itself. A length of 0 is a keep-alive. */
export const LENGTH_BYTES = 4;
/** Bytes of a piece message before the block: length, id, piece, begin. */
export const PIECE_HEADER_BYTES = 13;
/** Bytes of a request, cancel or reject: the longest message of fixed fields. */
export const REQUEST_MESSAGE_BYTES = 17;

/** Lengths (id and fields, without the length itself) of the messages that are short and always alike; 0 for others. */
export const SHORT_LENGTHS: Uint8Array = new Uint8Array(256);
for (const id of [CHOKE, UNCHOKE, INTERESTED, NOT_INTERESTED, HAVE_ALL, HAVE_NONE]) SHORT_LENGTHS[id] = 1;
for (const id of [HAVE, SUGGEST, ALLOWED_FAST]) SHORT_LENGTHS[id] = 5;
for (const id of [REQUEST, CANCEL, REJECT]) SHORT_LENGTHS[id] = 13;
SHORT_LENGTHS[PORT] = 3;
