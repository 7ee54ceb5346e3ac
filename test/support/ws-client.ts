// A WebTorrent client as far as a tracker sees one, by the package ws.

import { expect } from 'vitest';
import WebSocket from 'ws';
import { id, type Message, offers } from './web-messages.ts';

/** The swarm that clients announce to unless they say another one. */
export const WS_HASH: string = id(0xfe);

export class WsClient {
  readonly socket: WebSocket;
  readonly peerId: string;
  readonly heard: Message[] = [];
  #tell: (() => void) | null = null;

  constructor(url: string, peerId: string) {
    this.peerId = peerId;
    // It asks for compression: the tracker declines.
    this.socket = new WebSocket(url, { perMessageDeflate: true });
    this.socket.on('message', (bytes: Buffer) => {
      this.heard.push(JSON.parse(bytes.toString()) as Message);
      this.#tell?.();
    });
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    return this;
  }

  announce(change: Message = {}): void {
    const announce = { action: 'announce', info_hash: WS_HASH, peer_id: this.peerId, left: 1, ...change };
    this.socket.send(JSON.stringify(announce));
  }

  /** Answers an offer. */
  answer({ peer_id, offer_id }: Message): void {
    this.announce({ answer: { type: 'answer', sdp: `from ${this.peerId}` }, to_peer_id: peer_id, offer_id });
  }

  /** The first message that has this key, taken out. */
  async take(key: string): Promise<Message> {
    for (;;) {
      const at = this.heard.findIndex((message) => key in message);
      if (at >= 0) return this.heard.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }

  /** Leaves without a word. */
  drop(): void {
    this.socket.on('error', () => undefined);
    this.socket.terminate();
  }
}

/** Every pair of clients, who are the swarm, offers and answers. */
export async function everyPair(all: readonly WsClient[]): Promise<void> {
  const count = all.length;
  for (const client of all) {
    client.announce({ offers: offers(count), numwant: count });
    expect(await client.take('interval')).toMatchObject({ incomplete: count, complete: 0 });
    for (const other of all) {
      if (other === client) continue;
      const offer = await other.take('offer');
      expect(offer).toMatchObject({ peer_id: client.peerId, info_hash: WS_HASH });
      other.answer(offer);
    }
    for (let n = 1; n < count; n++) {
      const { answer, peer_id } = await client.take('answer');
      expect(answer).toEqual({ type: 'answer', sdp: `from ${peer_id}` });
    }
  }
}
