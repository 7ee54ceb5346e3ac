// The tracker of a measured swarm, in our own process: the same for everybody, and it knows who is there.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Nobody announces twice for this reason within a run. */
const INTERVAL_S = 1800;

/** One swarm, over HTTP (BEP 3, compact as in BEP 23). Gives everybody that it knows, in the order of arrival. */
export class Tracker {
  readonly url: string;
  readonly #server: Server;
  /** Six bytes of the address, as text, to the bytes that are left. */
  readonly #peers = new Map<string, number>();
  /** Info hashes as they were written. */
  readonly #hashes = new Set<string>();

  static async open(ip: string): Promise<Tracker> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, ip, done));
    return new Tracker(server, ip);
  }

  private constructor(server: Server, ip: string) {
    this.#server = server;
    this.url = `http://${ip}:${(server.address() as AddressInfo).port}/announce`;
    server.on('request', (request, response) => this.#answer(request, response));
  }

  /** Peers that have everything. */
  get seeds(): number {
    return [...this.#peers.values()].filter((left) => left === 0).length;
  }

  /** Torrents that were announced. */
  get torrents(): number {
    return this.#hashes.size;
  }

  forget(): void {
    this.#peers.clear();
    this.#hashes.clear();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? '';
    const from = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
    const port = field(url, 'port');
    if (port === null || !url.startsWith('/announce')) {
      response.writeHead(404).end();
      return;
    }
    const hash = field(url, 'info_hash');
    if (hash !== null) this.#hashes.add(hash);
    const peer = compact(from, Number(port));
    const others = [...this.#peers.keys()].filter((other) => other !== peer).join('');
    if (field(url, 'event') === 'stopped') this.#peers.delete(peer);
    else this.#peers.set(peer, Number(field(url, 'left') ?? 1));
    const body = `d8:completei${this.seeds}e8:intervali${INTERVAL_S}e5:peers${others.length}:${others}e`;
    response.end(Buffer.from(body, 'latin1'));
  }
}

/** Six bytes as text. */
function compact(ip: string, port: number): string {
  return Buffer.from([...ip.split('.').map(Number), port >> 8, port & 255]).toString('latin1');
}

/** A field of the query, without URL: an info hash is no UTF-8. */
function field(url: string, name: string): string | null {
  return new RegExp(`[?&]${name}=([^&]*)`).exec(url)?.[1] ?? null;
}
