// A page with WebTorrent in it, on a server of the test's own: it seeds what the server has, or fetches by magnet link and
// hands over what came. What it does with WebRTC is noted beneath WebTorrent, where it cannot leave anything out.

import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Page } from 'playwright-core';
import { npmPeersFolder } from '../interop/npm/install.mjs';

const BUNDLE: URL = new URL('node_modules/webtorrent/dist/webtorrent.min.js', npmPeersFolder());

export const hasWebTorrent: boolean = existsSync(BUNDLE);

/** With leave to use a microphone, peers of two pages reach each other over loopback, whatever network there is. */
export const RTC_FLAGS: readonly string[] = ['--allow-loopback-in-peer-connection'];

const HTML = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>peer</title>
<script>
  globalThis.connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(config) {
      super(config);
      connections.push(this);
      this.helpers = config.iceServers.length;
    }
  };
</script>
<script type="module">
  import WebTorrent from './webtorrent.min.js';
  const client = new WebTorrent({ tracker: { rtcConfig: { iceServers: [] } } });
  globalThis.faults = [];
  client.on('error', (error) => faults.push(String(error)));
  const watch = (torrent) => torrent.on('warning', (warning) => faults.push(String(warning)));
  globalThis.seed = async (tracker) => {
    const bytes = await (await fetch('./content')).arrayBuffer();
    return new Promise((resolve) => {
      const seeds = (torrent) => resolve({ magnet: torrent.magnetURI, infoHash: torrent.infoHash });
      watch(client.seed(new File([bytes], 'content.bin'), { announce: [tracker] }, seeds));
    });
  };
  globalThis.get = async (magnet) => {
    const torrent = client.add(magnet);
    watch(torrent);
    await new Promise((resolve) => torrent.once('done', resolve));
    await fetch('./received', { method: 'POST', body: await torrent.files[0].blob() });
  };
  globalThis.rtc = async () => {
    const all = { receivedBytes: 0, helpers: 0, candidates: [], faults };
    for (const connection of connections) {
      all.helpers += connection.helpers;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'data-channel') all.receivedBytes += report.bytesReceived;
        if (/candidate$/.test(report.type)) all.candidates.push(report.candidateType);
      }
    }
    return all;
  };
  globalThis.isReady = true;
</script>`;

/** What a page has done with WebRTC so far. */
export interface RtcTold {
  /** Over data channels. */
  readonly receivedBytes: number;
  /** STUN and TURN servers that its connections were given. */
  readonly helpers: number;
  /** Kinds of the addresses that it has told and heard of. */
  readonly candidates: readonly string[];
  /** Errors and warnings of WebTorrent. */
  readonly faults: readonly string[];
}

export interface Seeding {
  readonly magnet: string;
  readonly infoHash: string;
}

/** Serves the page, and content for it to seed; keeps what a page has fetched. */
export class PeerPages {
  /** `http://127.0.0.1:PORT` */
  readonly base: string;
  received: Uint8Array | null = null;
  readonly #server: Server;

  static async open(content: Uint8Array): Promise<PeerPages> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PeerPages(server, content);
  }

  private constructor(server: Server, content: Uint8Array) {
    this.#server = server;
    this.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const files: Readonly<Record<string, readonly [string, string | Uint8Array]>> = {
      '/': ['text/html', HTML],
      '/webtorrent.min.js': ['text/javascript', readFileSync(BUNDLE)],
      '/content': ['application/octet-stream', content],
    };
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === 'POST') void this.#take(request, response);
      else {
        const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
        response.writeHead(body === '' ? 404 : 200, { 'content-type': type }).end(body);
      }
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.received = await buffer(request);
    response.writeHead(204).end();
  }
}

/** Opens the page; its peer is in no swarm yet. */
export async function showPeer(page: Page, pages: PeerPages): Promise<void> {
  await page.goto(pages.base);
  await page.waitForFunction('globalThis.isReady');
}

export function seedAt(page: Page, tracker: string): Promise<Seeding> {
  return page.evaluate(`seed(${JSON.stringify(tracker)})`);
}

/** Resolves when the page has all of it and has handed it over. */
export function getAt(page: Page, magnet: string): Promise<void> {
  return page.evaluate(`get(${JSON.stringify(magnet)})`);
}

export function rtcOf(page: Page): Promise<RtcTold> {
  return page.evaluate('rtc()');
}
