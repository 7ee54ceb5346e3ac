import { describe, expect, it } from 'vitest';
import { utf8 } from '../../base/bytes.ts';
import { isPassedOn } from './passed-frames.ts';
import { OPCODE_CLOSE, OPCODE_TEXT } from './websocket-frames.ts';
import { encodeFrame } from './websocket-writer.ts';

const KEY = Uint8Array.of(1, 2, 3, 4);
/** JSON of so many bytes. */
const json = (length: number): Uint8Array => utf8(`{"a":"${'x'.repeat(length - 8)}"}`);
const framed = (payload: Uint8Array): Uint8Array => encodeFrame(OPCODE_TEXT, payload, null);

describe('what is passed on', () => {
  it('is a whole text frame of an object, however long', () => {
    for (const length of [8, 124, 125, 126, 127, 128, 129, 5000, 16_384]) {
      expect(isPassedOn(framed(json(length))), String(length)).toBe(true);
    }
    expect(isPassedOn(framed(utf8('{"sdp":"ü\\n"} ')))).toBe(true);
  });

  it('is nothing else', () => {
    const wrong = [
      new Uint8Array(0),
      Uint8Array.of(0x81),
      framed(new Uint8Array(0)),
      framed(json(17_000)),
      framed(utf8('[1]')),
      framed(utf8('{"a":1}{}')),
      framed(utf8('{"a":')),
      framed(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)),
      encodeFrame(OPCODE_CLOSE, json(20), null),
      encodeFrame(OPCODE_TEXT, json(20), KEY),
      framed(json(20)).subarray(0, 20),
      Uint8Array.of(...framed(json(20)), 0x20),
    ];
    for (const [i, frame] of wrong.entries()) expect(isPassedOn(frame), String(i)).toBe(false);
  });

  it('has the shortest head that it can have', () => {
    for (const length of [120, 124, 125, 126]) {
      const payload = json(length);
      expect(isPassedOn(Uint8Array.of(0x81, 126, 0, length, ...payload))).toBe(length === 126);
      expect(isPassedOn(Uint8Array.of(0x81, length - 2, ...payload))).toBe(false);
    }
  });
});
