import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromLatin1, latin1, toHex } from '../../base/bytes.ts';
import {
  CLOSE_BAD_DATA,
  CLOSE_NO_STATUS,
  CLOSE_NORMAL,
  CLOSE_POLICY,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  FrameReader,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from './websocket-frames.ts';
import { applyMask } from './websocket-mask.ts';
import { acceptOf, upgradeFault, upgradeReply, upgradeRequest } from './websocket-upgrade.ts';
import { closeFrame, closePayload, encodeFrame, readCloseCode } from './websocket-writer.ts';

const KEY = Uint8Array.of(0x11, 0xf2, 0x33, 0x84);
const MAX = 70_000;

interface Heard {
  readonly messages: string[];
  readonly fault: number;
}

/** A payload as text: a long one is the same byte all through. */
function shown(payload: Uint8Array): string {
  if (payload.length <= 300) return toHex(payload);
  return payload.every((byte) => byte === payload[0]) ? `${payload.length} times ${payload[0]}` : 'broken';
}

/** What a server (or client) hears of chunks. */
function hear(chunks: readonly Uint8Array[], isServer = true, max = MAX): Heard {
  const reader = new FrameReader(isServer, max);
  const messages: string[] = [];
  const sink = {
    onMessage: (bytes: Uint8Array, start: number, end: number) => {
      messages.push(shown(bytes.subarray(start, end)));
      return true;
    },
    onControl: (opcode: number, bytes: Uint8Array, start: number, end: number) => {
      messages.push(`${opcode} ${toHex(bytes.subarray(start, end))}`);
      return true;
    },
  };
  let fault = 0;
  for (const chunk of chunks) {
    fault = reader.read(chunk.slice(), sink);
    if (fault !== 0) break;
  }
  return { messages, fault };
}

/** Cuts bytes at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length));
}

/** A message in frames: the first with its opcode, the last with FIN. */
function inFragments(payload: Uint8Array, places: readonly number[], key: Uint8Array | null): Uint8Array {
  const parts = cut(payload, places);
  return concatBytes(
    parts.map((part, i) => {
      const frame = encodeFrame(i === 0 ? OPCODE_TEXT : OPCODE_CONTINUATION, part, key);
      if (i < parts.length - 1) frame[0] = frame[0]! & 0x7f;
      return frame;
    }),
  );
}

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 69_999).map((length) => new Uint8Array(length).fill(length)),
);

describe('frames', () => {
  it('give the same messages however their bytes are cut', () => {
    const one = fc.record({
      payload: payloads,
      places: fc.array(fc.nat(400), { maxLength: 3 }),
      control: fc.constantFrom(0, OPCODE_PING, OPCODE_PONG),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.boolean(),
        (all, places, isServer) => {
          const key = isServer ? KEY : null;
          const frames = all.flatMap(({ payload, places: pieces, control }) => [
            inFragments(payload, pieces, key),
            ...(control === 0 ? [] : [encodeFrame(control, payload.subarray(0, 125), key)]),
          ]);
          const expected = all.flatMap(({ payload, control }) => [
            shown(payload),
            ...(control === 0 ? [] : [`${control} ${toHex(payload.subarray(0, 125))}`]),
          ]);
          expect(hear(cut(concatBytes(frames), places), isServer)).toEqual({ messages: expected, fault: 0 });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('hear controls between the fragments of a message', () => {
    const [first, second] = [encodeFrame(OPCODE_TEXT, fromLatin1('ab'), KEY), encodeFrame(0, fromLatin1('c'), KEY)];
    first[0] = OPCODE_TEXT;
    const ping = encodeFrame(OPCODE_PING, fromLatin1('p'), KEY);
    expect(hear([concatBytes([first, ping, second])]).messages).toEqual(['9 70', '616263']);
  });

  it('never throw, whatever comes, and keep no more than the longest message', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (chunks) => {
        const { fault } = hear(chunks);
        expect([0, CLOSE_PROTOCOL_ERROR, CLOSE_TOO_BIG, CLOSE_POLICY]).toContain(fault);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['not masked', encodeFrame(OPCODE_TEXT, KEY, null), CLOSE_PROTOCOL_ERROR],
    ['a reserved bit', Uint8Array.of(0xc1, 0x80), CLOSE_PROTOCOL_ERROR],
    ['a reserved opcode', Uint8Array.of(0x83, 0x80), CLOSE_PROTOCOL_ERROR],
    ['a control frame of 126 bytes', Uint8Array.of(0x89, 0xfe), CLOSE_PROTOCOL_ERROR],
    ['a control frame in pieces', Uint8Array.of(0x09, 0x80), CLOSE_PROTOCOL_ERROR],
    ['a piece of no message', encodeFrame(OPCODE_CONTINUATION, KEY, KEY), CLOSE_PROTOCOL_ERROR],
    ['more than may be', encodeFrame(OPCODE_BINARY, new Uint8Array(MAX + 1), KEY), CLOSE_TOO_BIG],
    ['far more', Uint8Array.of(0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4), CLOSE_TOO_BIG],
  ])('end the connection: %s', (_what, bytes, code) => {
    expect(hear([bytes]).fault).toBe(code);
    expect(
      hear(
        cut(
          bytes.subarray(0, 20),
          Array.from(bytes.subarray(0, 20), (_, i) => i),
        ),
      ).fault,
    ).toBe(code);
  });

  it('end the connection: a message within a message, too long in pieces, or in too many', () => {
    const first = encodeFrame(OPCODE_TEXT, KEY, KEY);
    first[0] = OPCODE_TEXT;
    expect(hear([first, first]).fault).toBe(CLOSE_PROTOCOL_ERROR);
    const piece = encodeFrame(OPCODE_CONTINUATION, new Uint8Array(1000), KEY);
    piece[0] = 0;
    expect(hear([first, ...Array.from({ length: 60 }, () => piece)], true, 50_000).fault).toBe(CLOSE_TOO_BIG);
    const empty = Uint8Array.of(0, 0x80, 1, 2, 3, 4);
    expect(hear([first, ...Array.from({ length: 70 }, () => empty)]).fault).toBe(CLOSE_POLICY);
  });

  it('are read no further once the sink has enough', () => {
    const reader = new FrameReader(true, MAX);
    let heard = 0;
    const stop = (): boolean => ++heard < 2;
    const frame = encodeFrame(OPCODE_TEXT, KEY, KEY);
    reader.read(concatBytes([frame, frame, frame]), { onMessage: stop, onControl: stop });
    expect(heard).toBe(2);
  });
});

describe('the mask', () => {
  it('is what the definition says, at any offset and length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(9),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        (data, at, key) => {
          const bytes = new Uint8Array(data.length + at + 3);
          bytes.set(data, at);
          applyMask(bytes, at, at + data.length, key, 0);
          expect([...bytes.subarray(at, at + data.length)]).toEqual([...data].map((byte, i) => byte ^ key[i & 3]!));
          expect(bytes.subarray(at + data.length).every((byte) => byte === 0)).toBe(true);
        },
      ),
    );
  });
});

describe('close frames', () => {
  it('have a code that may be sent, or are answered as protocol errors', () => {
    const codeIn = (payload: Uint8Array): number => readCloseCode(payload, 0, payload.length);
    expect(codeIn(new Uint8Array(0))).toBe(CLOSE_NO_STATUS);
    expect(codeIn(closePayload(CLOSE_NORMAL, 'bye'))).toBe(CLOSE_NORMAL);
    expect(codeIn(closePayload(4321))).toBe(4321);
    for (const bad of [
      Uint8Array.of(3),
      closePayload(1005),
      closePayload(1006),
      closePayload(1015),
      closePayload(2999),
    ]) {
      expect(codeIn(bad)).toBe(CLOSE_PROTOCOL_ERROR);
    }
    expect(closeFrame(CLOSE_NO_STATUS)).toEqual(Uint8Array.of(0x80 | OPCODE_CLOSE, 0));
    expect(hear([closeFrame(CLOSE_BAD_DATA)], false).messages).toEqual(['8 03ef']);
  });
});

describe('the upgrade', () => {
  const asked = {
    upgrade: 'websocket',
    connection: 'keep-alive, Upgrade',
    key: 'dGhlIHNhbXBsZSBub25jZQ==',
    version: '13',
  };

  it('is agreed to as RFC 6455 shows', async () => {
    const { createHash } = await import('node:crypto');
    const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());
    expect(upgradeFault(asked)).toBeNull();
    expect(acceptOf(asked.key, sha1)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(latin1(upgradeReply('x='))).toMatch(/^HTTP\/1.1 101 .*\r\n(.*\r\n)*Sec-WebSocket-Accept: x=\r\n\r\n$/);
    expect(latin1(upgradeRequest('h:1', '/announce', new Uint8Array(16)))).toContain(
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    );
  });

  it.each([
    [{ upgrade: 'h2c' }, 400],
    [{ connection: 'close' }, 400],
    [{ key: 'short==' }, 400],
    [{ key: null }, 400],
    [{ version: '8' }, 426],
  ])('is refused with %j', (change, status) => {
    expect(upgradeFault({ ...asked, ...change })).toBe(status);
  });
});
