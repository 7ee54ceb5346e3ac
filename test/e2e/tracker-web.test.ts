// `shoal tracker` and WebSocket clients of the package ws: offers and answers, with one thread and with two.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { id } from '../support/web-messages.ts';
import { everyPair, WsClient } from '../support/ws-client.ts';
import { Workplace } from './program.ts';

let place: Workplace;
const clients: WsClient[] = [];

beforeEach(async () => {
  place = await Workplace.open();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.drop();
  await place.close();
});

function newClient(url: string, peerId: string): WsClient {
  const client = new WsClient(url, peerId);
  clients.push(client);
  return client;
}

async function newTracker(...more: readonly string[]): Promise<string> {
  const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json', ...more);
  const { urls } = await tracker.event('ready');
  return (urls as string[]).find((url) => url.startsWith('ws://'))!;
}

/** Every pair of clients offers and answers, over whichever thread each of them is connected to. */
async function signal(url: string, count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => newClient(url, id(0x61 + i)));
  await Promise.all(all.map((client) => client.open()));
  for (const client of all) {
    client.announce({ event: 'started' });
    await client.take('interval');
  }
  expect(all[0]!.socket.extensions).toBe('');
  await everyPair(all);
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
    const client = await newClient(ws!, id(1)).open();
    const closed = new Promise<number>((resolve) => client.socket.once('close', resolve));
    await tracker.stop();
    expect(await closed).toBe(1001);
  });

  it('has no WebSocket with --no-ws', async () => {
    const tracker = place.start('tracker', '--listen', '127.0.0.1:0', '--json', '--no-ws', '--no-udp');
    const { urls } = await tracker.event('ready');
    expect(urls).toHaveLength(1);
    const client = newClient((urls as string[])[0]!.replace('http', 'ws'), id(1));
    await expect(client.open()).rejects.toThrow('404');
  });
});
