// WebTorrent in two profiles of a browser, with WebRTC as it is: they find each other through the tracker's WebSocket alone,
// and a file goes from one to the other. Nothing leaves the machine.

import { createHash } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/base/bytes.ts';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { Workplace } from '../e2e/program.ts';
import { request } from '../support/announce-request.ts';
import { TrackerStage } from './stage.ts';
import { hasChromium, openBrowser, Visit } from './visitor.ts';
import { getAt, hasWebTorrent, PeerPages, RTC_FLAGS, rtcOf, seedAt, showPeer } from './webtorrent-page.ts';

/** Some dozens of pieces, and a last one that is shorter. */
const LENGTH = 3_000_001;
const PATIENCE = { timeout: 20_000 };
const signal = new AbortController().signal;

let browser: Browser;
let place: Workplace;
let pages: PeerPages;
let env: NodeEnv;
let content: Uint8Array;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function exchange(...flags: string[]): Promise<void> {
  const stage = await TrackerStage.open(place, ...flags);
  const tracker = stage.base.replace('http', 'ws');
  const client = new TrackerClient(env, { from: null });
  const options = { base: pages.base, hasMicrophone: true };
  const visits = [await Visit.open(browser, options), await Visit.open(browser, options)];
  const [one, other] = visits.map(({ page }) => page);
  const sockets: string[] = [];
  for (const { page } of visits) page.on('websocket', (socket) => sockets.push(socket.url()));
  for (const { page } of visits) await showPeer(page, pages);

  const { magnet, infoHash } = await seedAt(one!, `${tracker}/announce`);
  const hash = fromHex(infoHash)!;
  /** As each protocol tells it. */
  const scraped = async (): Promise<unknown[]> => {
    const told: unknown[] = [];
    for (const scheme of ['http', 'udp']) {
      const url = `${scheme}://127.0.0.1:${stage.port}/announce`;
      told.push((await client.scrape(url, [hash], { signal })).get(infoHash));
    }
    return told;
  };
  const both = (counts: object): object[] => [counts, counts];
  // A seed of WebTorrent says `completed` when it begins.
  await expect.poll(scraped, PATIENCE).toEqual(both({ seeds: 1, leeches: 0, completed: 1 }));

  // Peers with addresses are counted in the same swarm, and told of each other alone.
  const announce = async (scheme: string, port: number): Promise<[number | null, number | null, number[]]> => {
    const url = `${scheme}://127.0.0.1:${stage.port}/announce`;
    const { seeds, leeches, peers } = await client.announce(url, request({ infoHash: hash, port }), { signal });
    return [seeds, leeches, peers.map((peer) => peer.port)];
  };
  expect(await announce('http', 7001)).toEqual([1, 1, []]);
  expect(await announce('udp', 7002)).toEqual([1, 2, [7001]]);
  await getAt(other!, magnet);
  expect(sha256(pages.received!)).toBe(sha256(content));
  await expect.poll(scraped, PATIENCE).toEqual(both({ seeds: 2, leeches: 2, completed: 2 }));

  const told = await rtcOf(other!);
  expect(told.receivedBytes).toBeGreaterThanOrEqual(LENGTH);
  expect(told.helpers).toBe(0);
  expect(new Set(told.candidates)).toEqual(new Set(['host']));
  expect([...told.faults, ...(await rtcOf(one!)).faults]).toEqual([]);
  expect(new Set(sockets)).toEqual(new Set([`${tracker}/announce`]));

  const stats = (await (await fetch(`${stage.base}/stats`)).json()) as { ws: Record<string, number> };
  expect(stats).toMatchObject({ ws: { connections: 2, errors: 0 } });
  expect(stats.ws.offers).toBeGreaterThan(0);
  expect(stats.ws.answers).toBeGreaterThan(0);
  for (const visit of visits) await visit.close();
  await expect.poll(scraped, PATIENCE).toEqual(both({ seeds: 0, leeches: 2, completed: 2 }));
  await client.close();
}

const missing = [...(hasChromium ? [] : ['/usr/bin/chromium']), ...(hasWebTorrent ? [] : ['webtorrent from npm'])];
const title = 'WebTorrent in two pages exchanges a file over WebRTC';
describe.skipIf(missing.length > 0)(
  missing.length > 0 ? `${title} (skipped: no ${missing.join(', no ')})` : title,
  () => {
    beforeEach(async () => {
      content = new Uint8Array(LENGTH);
      for (let i = 0; i < LENGTH; i += 65_536) crypto.getRandomValues(content.subarray(i, i + 65_536));
      [place, pages, browser] = await Promise.all([Workplace.open(), PeerPages.open(content), openBrowser(RTC_FLAGS)]);
      env = createNodeEnv({ stateFolder: place.folder });
    });
    afterEach(async () => {
      await browser.close();
      await env.close();
      await pages.close();
      await place.close();
    });

    it('through a tracker of one thread', () => exchange());

    it.skipIf(!CAN_REUSE_PORT && loadUdpBatch() === null)('through a tracker of two', () => exchange('--workers', '2'));
  },
);
