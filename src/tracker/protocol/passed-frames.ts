// Whether bytes are a frame that a tracker passes on: one whole text message, not masked, with JSON in it. A browser would close
// its connection for anything else.

import { JsonScan } from './json-scan.ts';
import { MAX_DESCRIPTION_LENGTH } from './web-messages.ts';
import { MAX_PASSED_EXTRA } from './web-replies.ts';
import { OPCODE_TEXT } from './websocket-frames.ts';
import { frameHeadLength, MAX_PLAIN_HEAD, writeFrameHead } from './websocket-writer.ts';

const OPEN_OBJECT = 0x7b;
const SHORTEST_HEAD: number = frameHeadLength(0);
const MAX_LENGTH: number = MAX_PLAIN_HEAD + MAX_PASSED_EXTRA + MAX_DESCRIPTION_LENGTH;

const scan = new JsonScan();
const head = new Uint8Array(MAX_PLAIN_HEAD);

export function isPassedOn(frame: Uint8Array): boolean {
  if (frame.length > MAX_LENGTH || frame.length < SHORTEST_HEAD) return false;
  const headLength = frameHeadLength(frame.length - SHORTEST_HEAD);
  if (writeFrameHead(head, 0, OPCODE_TEXT, Math.max(0, frame.length - headLength)) !== headLength) return false;
  for (let i = 0; i < headLength; i++) if (frame[i] !== head[i]) return false;
  scan.begin(frame, headLength, frame.length);
  return scan.peek() === OPEN_OBJECT && scan.passValue() && scan.peek() === -1;
}
