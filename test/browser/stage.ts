// A tracker with a catalogue for the page's tests, run as a person would run it.

import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Running, Workplace } from '../e2e/program.ts';
import { torrentNamed } from '../support/site-stage.ts';

export interface Told {
  readonly infoHash: string;
  readonly name: string;
}

export class TrackerStage {
  readonly base: string;
  readonly token: string;
  readonly #place: Workplace;
  #running: Running;

  static async open(place: Workplace, ...options: string[]): Promise<TrackerStage> {
    const made = await place.run('tracker', 'token', 'add', 'ci', '--json');
    const { secret } = JSON.parse(made.stdout) as { secret: string };
    const running = place.start('tracker', '--json', '--listen', '127.0.0.1:0', ...options);
    const { listen } = (await running.event('ready')) as { listen: string[] };
    return new TrackerStage(place, running, `http://${listen[0]}`, secret);
  }

  private constructor(place: Workplace, running: Running, base: string, token: string) {
    this.#place = place;
    this.#running = running;
    this.base = base;
    this.token = token;
  }

  get port(): string {
    return new URL(this.base).port;
  }

  async kill(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }

  /** On the same port. */
  async startAgain(...options: string[]): Promise<void> {
    this.#running = this.#place.start('tracker', '--json', '--listen', `127.0.0.1:${this.port}`, ...options);
    await this.#running.event('ready');
  }

  async publish(bytes: Uint8Array): Promise<Told> {
    const headers = { authorization: `Bearer ${this.token}` };
    const body = new Uint8Array(bytes);
    const response = await fetch(`${this.base}/api/torrents`, { method: 'POST', headers, body });
    return ((await response.json()) as { torrent: Told }).torrent;
  }

  publishNamed(name: string): Promise<Told> {
    return this.publish(torrentNamed(name));
  }

  /** Of the last hour, ten seconds each. */
  async stepsMeasured(): Promise<number> {
    const response = await fetch(`${this.base}/stats/history`);
    return ((await response.json()) as { columns: { peers: number[] } }).columns.peers.length;
  }

  /** One peer of a torrent, as a client announces it. */
  async announce(infoHash: string, left: number, port = 6881): Promise<void> {
    const escaped = (bytes: Uint8Array): string =>
      [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');
    const [hash, id] = [Buffer.from(infoHash, 'hex'), randomBytes(20)];
    const query = `info_hash=${escaped(hash)}&peer_id=${escaped(id)}&port=${port}&left=${left}&uploaded=0&downloaded=0`;
    const response = await fetch(`${this.base}/announce?${query}&compact=1&event=started`);
    await response.arrayBuffer();
  }

  /** One peer that stays until what is returned is called, as a browser's client announces it. */
  async announceWeb(infoHash: string): Promise<() => void> {
    const socket = new WebSocket(this.base.replace('http', 'ws'));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const announce = {
      action: 'announce',
      numwant: 0,
      uploaded: 0,
      downloaded: 0,
      left: 0,
      event: 'started',
      offers: [],
    };
    const info_hash = Buffer.from(infoHash, 'hex').toString('latin1');
    socket.send(JSON.stringify({ ...announce, info_hash, peer_id: randomBytes(10).toString('hex') }));
    await new Promise((resolve) => socket.once('message', resolve));
    return () => socket.close();
  }
}
