// shoal/bencode: bytes to values and back, without copying and without losing a bit.

export {
  asBytes,
  asDict,
  asInteger,
  asList,
  asText,
  BencodeDict,
  type BencodeValue,
  type DecodeOptions,
  decode,
  decodePrefix,
} from './decode.ts';
export { BencodeRaw } from './dict.ts';
export { type Encodable, encode } from './encode.ts';
