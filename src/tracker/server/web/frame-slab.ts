// Where the frames of WebSocket connections are written: one after the other into a piece of memory that is never written
// again, so that a frame needs no memory of its own and may be on its way to any number of connections. What has to wait is copied.

import { ReplyWriter } from '../../protocol/http-reply-writer.ts';
import { OPCODE_TEXT } from '../../protocol/websocket-frames.ts';
import { frameHeadLength, MAX_PLAIN_HEAD, writeFrameHead } from '../../protocol/websocket-writer.ts';

/** Some tens of frames, of one turn as a rule. */
const SLAB_LENGTH: number = 32 * 1024;

export class FrameSlab {
  #out = new ReplyWriter(SLAB_LENGTH);
  #start = 0;

  /** Where the payload of the next frame is to be written, which has `most` bytes at most; then {@link end}. */
  begin(most: number): ReplyWriter {
    if (this.#out.bytes.length - this.#out.at < most + MAX_PLAIN_HEAD) {
      this.#out = new ReplyWriter(Math.max(SLAB_LENGTH, most + MAX_PLAIN_HEAD));
    }
    this.#out.at += MAX_PLAIN_HEAD;
    this.#start = this.#out.at;
    return this.#out;
  }

  /** The frame, a text message, around what was written since {@link begin}. */
  end(): Uint8Array {
    const { bytes, at } = this.#out;
    const length = at - this.#start;
    const frameStart = this.#start - frameHeadLength(length);
    writeFrameHead(bytes, frameStart, OPCODE_TEXT, length);
    return bytes.subarray(frameStart, at);
  }
}
