// WebSocket frames (RFC 6455, section 5), written: by a server as they are, by a client masked.

import { readU16, utf8, writeU16, writeU32 } from '../../base/bytes.ts';
import { CLOSE_NO_STATUS, CLOSE_PROTOCOL_ERROR, MAX_CONTROL_LENGTH, OPCODE_CLOSE } from './websocket-frames.ts';
import { applyMask } from './websocket-mask.ts';

const FIN = 0x80;
const MASKED = 0x80;

/** Longest head of a frame that is not masked. */
export const MAX_PLAIN_HEAD = 10;

/** Length of the head of an unmasked frame with so much payload. */
export function frameHeadLength(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10;
}

/** Writes the head of an unmasked frame that is a whole message, at `at`; returns where the payload begins. */
export function writeFrameHead(into: Uint8Array, at: number, opcode: number, payloadLength: number): number {
  into[at] = FIN | opcode;
  if (payloadLength < 126) {
    into[at + 1] = payloadLength;
    return at + 2;
  }
  if (payloadLength < 65_536) {
    into[at + 1] = 126;
    writeU16(into, at + 2, payloadLength);
    return at + 4;
  }
  into[at + 1] = 127;
  writeU32(into, at + 2, Math.floor(payloadLength / 2 ** 32));
  writeU32(into, at + 6, payloadLength % 2 ** 32);
  return at + 10;
}

/** A frame that is a whole message. `key`: four random bytes, with which clients have to mask it; null for a server's. */
export function encodeFrame(opcode: number, payload: Uint8Array, key: Uint8Array | null): Uint8Array {
  const headLength = frameHeadLength(payload.length);
  const out = new Uint8Array(headLength + (key === null ? 0 : 4) + payload.length);
  let at = writeFrameHead(out, 0, opcode, payload.length);
  if (key !== null) {
    out[1] = out[1]! | MASKED;
    out.set(key, at);
    at += 4;
  }
  out.set(payload, at);
  if (key !== null) applyMask(out, at, out.length, key, 0);
  return out;
}

/** The payload of a close frame. `reason` is a short text of ours. */
export function closePayload(code: number, reason = ''): Uint8Array {
  const text = utf8(reason).subarray(0, MAX_CONTROL_LENGTH - 2);
  const out = new Uint8Array(2 + text.length);
  writeU16(out, 0, code);
  out.set(text, 2);
  return out;
}

/** A server's close frame; without a code where the client gave none. */
export function closeFrame(code: number, reason = ''): Uint8Array {
  return encodeFrame(OPCODE_CLOSE, code === CLOSE_NO_STATUS ? new Uint8Array(0) : closePayload(code, reason), null);
}

/** The code of a close frame with this payload (section 7.4); one that may not be sent is answered as a protocol error. */
export function readCloseCode(bytes: Uint8Array, start: number, end: number): number {
  if (end === start) return CLOSE_NO_STATUS;
  const code = end - start < 2 ? 0 : readU16(bytes, start);
  const isDefined = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
  return isDefined || (code >= 3000 && code <= 4999) ? code : CLOSE_PROTOCOL_ERROR;
}
