import { describe, expect, it } from 'vitest';
import { toHex } from '../base/bytes.ts';
import * as encoder from './encoder.ts';

const root = Uint8Array.from({ length: 32 }, (_, i) => i);
const query = { piecesRoot: root, baseLayer: 1, index: 512, length: 0x100, proofLayers: 9 };
const queryHex = `${toHex(root)}00000001000002000000010000000009`;

type Put = (out: Uint8Array, at: number) => number;

describe('messages that are put into a buffer', () => {
  const messages: [string, Put, string][] = [
    ['keep-alive', encoder.putKeepAlive, '00000000'],
    ['choke', encoder.putChoke, '0000000100'],
    ['unchoke', encoder.putUnchoke, '0000000101'],
    ['interested', encoder.putInterested, '0000000102'],
    ['not interested', encoder.putNotInterested, '0000000103'],
    ['have', (out, at) => encoder.putHave(out, at, 0xfedcba98), '0000000504fedcba98'],
    ['request', (out, at) => encoder.putRequest(out, at, 1, 2, 3), '0000000d06000000010000000200000003'],
    ['piece', (out, at) => encoder.putPieceHeader(out, at, 5, 16384, 16384), '00004009070000000500004000'],
    ['cancel', (out, at) => encoder.putCancel(out, at, 1, 2, 3), '0000000d08000000010000000200000003'],
    ['port', (out, at) => encoder.putPort(out, at, 6881), '00000003091ae1'],
    ['suggest', (out, at) => encoder.putSuggest(out, at, 7), '000000050d00000007'],
    ['have all', encoder.putHaveAll, '000000010e'],
    ['have none', encoder.putHaveNone, '000000010f'],
    ['reject', (out, at) => encoder.putReject(out, at, 1, 2, 3), '0000000d10000000010000000200000003'],
    ['allowed fast', (out, at) => encoder.putAllowedFast(out, at, 8), '000000051100000008'],
  ];

  it.each(messages)('%s has the bytes of its BEP and touches no others', (_name, put, hex) => {
    const out = new Uint8Array(4 + encoder.MAX_PUT_BYTES).fill(0xab);
    const end = put(out, 2);
    expect(toHex(out.subarray(2, end))).toBe(hex);
    expect(out.subarray(0, 2).every((byte) => byte === 0xab)).toBe(true);
    expect(out.subarray(end).every((byte) => byte === 0xab)).toBe(true);
    expect(end - 2).toBeLessThanOrEqual(encoder.MAX_PUT_BYTES);
  });
});

describe('messages that are made whole', () => {
  const messages: [string, Uint8Array, string][] = [
    ['bitfield', encoder.encodeBitfield(Uint8Array.of(0xff, 0x80)), '0000000305ff80'],
    ['extended', encoder.encodeExtended(3, Uint8Array.of(1, 2)), '0000000414030102'],
    ['hash request', encoder.encodeHashRequest(query), `0000003115${queryHex}`],
    ['hash reject', encoder.encodeHashReject(query), `0000003117${queryHex}`],
    ['hashes', encoder.encodeHashes(query, root), `0000005116${queryHex}${toHex(root)}`],
  ];

  it.each(messages)('%s has the bytes of its BEP', (_name, bytes, hex) => {
    expect(toHex(bytes)).toBe(hex);
  });
});
