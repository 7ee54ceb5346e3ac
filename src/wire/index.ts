// shoal/wire: the peer protocol as bytes, without any I/O.

export { Decoder } from './decoder.ts';
export { decodeExtendedHandshake, type ExtendedHandshake, encodeExtendedHandshake } from './extended.ts';
export { decodeHandshake, encodeHandshake, type Handshake } from './handshake.ts';
export type { WireFault, WireLimits } from './limits.ts';
export type { BlockPlace, WireSink } from './sink.ts';
