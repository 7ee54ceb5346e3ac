import { expect, it } from 'vitest';
import { seededChance } from '../../../../test/interop/harness/chance.ts';
import { Address } from '../../../base/address.ts';
import { fromLatin1 } from '../../../base/bytes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ByteStream, Sockets, StreamSink } from '../../../ports/sockets.ts';
import { TrackerCounters } from '../status/stats.ts';
import type { HttpRequest } from './http-request.ts';
import type { HttpRoutes } from './http-routes.ts';
import { HttpServer } from './http-server.ts';

const REQUEST = fromLatin1('GET / HTTP/1.1\r\n\r\n');
const MOST = 50;

/** A server, connections of clients, and a clock that the test turns. */
async function stand() {
  const clock = { nowMs: 0 };
  let accept!: (stream: ByteStream) => void;
  const sockets = {
    listen: (_options: unknown, take: typeof accept) => {
      accept = take;
      return Promise.resolve({ address: Address.from('127.0.0.1', 1)!, close: () => Promise.resolve() });
    },
  } as unknown as Sockets;
  const answer = ({ head, replies }: HttpRequest) => replies.text(head, 200, 'text', 'ok');
  const server = new HttpServer({
    sockets,
    clock: { nowMs: () => clock.nowMs } as Clock,
    random: { below: seededChance(7).below, fill: () => undefined },
    counters: new TrackerCounters(),
    routes: { answer } as unknown as HttpRoutes,
    maxConnections: MOST,
    others: null,
    upgrades: null,
  });
  await server.listen({ ip: null, port: 0 });
  const connect = () => {
    const client = { isOpen: true, sink: null as StreamSink | null };
    accept({
      remote: Address.from('127.0.0.1', 2)!,
      local: null,
      bufferedBytes: 0,
      attach: (sink) => {
        client.sink = sink;
      },
      write: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      end: () => undefined,
      destroy: () => {
        client.isOpen = false;
      },
    });
    return client;
  };
  return { clock, connect };
}

it('lets a newcomer ask before those that asked once and hold on', async () => {
  const { clock, connect } = await stand();
  const holders = Array.from({ length: MOST - 1 }, connect);
  for (const { sink } of holders) sink!.onChunk(REQUEST);
  clock.nowMs = 5000;
  const newcomer = connect();
  clock.nowMs = 5001;
  for (let i = 0; i < 25; i++) connect();
  expect(newcomer.isOpen).toBe(true);
  expect(holders.filter(({ isOpen }) => !isOpen)).toHaveLength(25);
});
