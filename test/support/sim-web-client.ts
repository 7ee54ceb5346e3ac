// A WebTorrent client as far as a tracker sees one, in any world: a WebSocket and JSON messages.

import type { Address } from '../../src/base/address.ts';
import { fromLatin1, latin1, utf8 } from '../../src/base/bytes.ts';
import type { SimHost } from '../../src/platform/sim/index.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { ByteStream } from '../../src/ports/sockets.ts';
import {
  FrameReader,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../src/tracker/protocol/websocket-frames.ts';
import { upgradeRequest } from '../../src/tracker/protocol/websocket-upgrade.ts';
import { encodeFrame, readCloseCode } from '../../src/tracker/protocol/websocket-writer.ts';
import { id, type Message } from './web-messages.ts';

const KEY = Uint8Array.of(1, 2, 3, 4);

export class SimWebClient {
  /** What came since it was last taken. */
  readonly heard: Message[] = [];
  /** The head of the reply to the upgrade. */
  head = '';
  /** The code of the tracker's close frame; 0: the connection has closed without one; null: it is open. */
  closed: number | null = null;
  /** The reason in that frame. */
  reason = '';
  /** Answers pings. */
  isPolite = true;
  readonly stream: ByteStream;
  readonly #host: Pick<SimHost, 'env'>;
  readonly #reader = new FrameReader(false, 10_000_000);

  constructor(host: Pick<SimHost, 'env'>, to: Address, path = '/announce') {
    this.#host = host;
    this.stream = host.env.sockets.connect(to);
    this.stream.attach({
      onOpen: () => this.stream.write([upgradeRequest('tracker', path, new Uint8Array(16))]),
      onChunk: (chunk) => this.#read(chunk),
      onEnd: () => this.stream.destroy(),
      onClose: () => {
        this.closed ??= 0;
      },
    });
  }

  /** Sends a message; an object as JSON. */
  send(message: Message | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this.write(encodeFrame(OPCODE_TEXT, utf8(text), KEY));
  }

  write(bytes: Uint8Array): void {
    this.stream.write([bytes]);
  }

  announce(change: Message = {}): void {
    this.send({ action: 'announce', info_hash: id(0xfe), peer_id: id(0x41), left: 100, ...change });
  }

  /** All that has come a second from now. */
  async take(): Promise<Message[]> {
    await sleep(this.#host.env.clock, 1000);
    return this.heard.splice(0);
  }

  #read(chunk: Uint8Array): void {
    let rest = chunk;
    if (!this.head.includes('\r\n\r\n')) {
      const text = this.head + latin1(chunk);
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) {
        this.head = text;
        return;
      }
      this.head = text.slice(0, end + 4);
      rest = fromLatin1(text.slice(end + 4));
    }
    const fault = this.#reader.read(rest, {
      onMessage: (bytes, start, end) => {
        this.heard.push(
          JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end))) as Message,
        );
        return true;
      },
      onControl: (opcode, bytes, start, end) => {
        if (opcode === OPCODE_CLOSE) {
          this.closed = readCloseCode(bytes, start, end);
          this.reason = latin1(bytes.subarray(start + 2, end));
        }
        if (opcode === OPCODE_PING && this.isPolite) this.write(encodeFrame(OPCODE_PONG, bytes.slice(start, end), KEY));
        return true;
      },
    });
    if (fault !== 0 && this.head.startsWith('HTTP/1.1 101'))
      throw new Error(`the tracker broke the protocol: ${fault}`);
  }
}
