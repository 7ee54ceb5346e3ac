// `shoal tracker` and WebSocket clients of the package ws: offers and answers, with one thread and with two.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { id, type Message, offers } from '../support/web-messages.ts';
import { Workplace } from './program.ts';

const HASH = id(0xfe);
let place: Workplace;
const clients: Client[] = [];

beforeEach(async () => {
  place = await Workplace.open();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  await place.close();
});

class Client {
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
    clients.push(this);
  }

  async open(): Promise<this> {
    await new Promise((resolve, reject) => this.socket.once('open', resolve).once('error', reject));
    return this;
  }

  announce(change: Message = {}): void {
    const announce = { action: 'announce', info_hash: HASH, peer_id: this.peerId, left: 1, ...change };
    this.socket.send(JSON.stringify(announce));
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
}

async function newTracker(...more: readonly string[]): Promise<string> {
  const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json', ...more);
  const { urls } = await tracker.event('ready');
  return (urls as string[]).find((url) => url.startsWith('ws://'))!;
}

/** Every pair of clients offers and answers, over whichever thread each of them is connected to. */
async function signal(url: string, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => new Client(url, id(0x61 + i)));
  await Promise.all(all.map((client) => client.open()));
  for (const client of all) {
    client.announce({ event: 'started' });
    await client.take('interval');
  }
  expect(all[0]!.socket.extensions).toBe('');
  for (const client of all) {
    client.announce({ offers: offers(count), numwant: count });
    expect(await client.take('interval')).toMatchObject({ incomplete: count, complete: 0 });
    for (const other of all) {
      if (other === client) continue;
      const offer = await other.take('offer');
      expect(offer).toMatchObject({ peer_id: client.peerId, info_hash: HASH });
      const answer = { type: 'answer', sdp: `from ${other.peerId}` };
      other.announce({ answer, to_peer_id: client.peerId, offer_id: offer.offer_id });
    }
    for (let n = 1; n < count; n++) {
      const { answer, peer_id } = await client.take('answer');
      expect(answer).toEqual({ type: 'answer', sdp: `from ${peer_id}` });
    }
  }
  all[0]!.socket.close(1000);
  await new Promise((resolve) => all[0]!.socket.once('close', resolve));
}

describe('offers and answers go between WebSocket clients', () => {
  it('of one thread', async () => {
    const url = await newTracker();
    await signal(url, 4);
    const text = await (await fetch(`${url.replace('ws', 'http').replace('announce', 'stats')}`)).text();
    expect(JSON.parse(text)).toMatchObject({ ws: { offers: 12, answers: 12, errors: 0 } });
  });

  it.skipIf(!CAN_REUSE_PORT && loadUdpBatch() === null)('of two threads', async () => {
    // The system deals connections out to threads as it likes: of ten, all on one is one chance in 500.
    await signal(await newTracker('--workers', '2'), 10);
  });
});

describe('a tracker that ends', () => {
  it('says so to its WebSocket clients', async () => {
    const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json', '--no-http');
    const { urls } = await tracker.event('ready');
    const [udp, ws] = urls as string[];
    expect([udp!.slice(0, 6), ws!.slice(0, 5)]).toEqual(['udp://', 'ws://']);
    const client = await new Client(ws!, id(1)).open();
    const closed = new Promise<number>((resolve) => client.socket.once('close', resolve));
    await tracker.stop();
    expect(await closed).toBe(1001);
  });

  it('has no WebSocket with --no-ws', async () => {
    const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json', '--no-ws', '--no-udp');
    const { urls } = await tracker.event('ready');
    expect(urls).toHaveLength(1);
    const client = new Client((urls as string[])[0]!.replace('http', 'ws'), id(1));
    await expect(client.open()).rejects.toThrow('404');
  });
});
