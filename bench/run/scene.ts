// What all suites share: the folder, the network, the tracker, and torrents that are made once.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SHOAL } from './home.ts';
import { lastWords, measure } from './measured.ts';
import { writePayload, writeSmallFiles } from './payload.ts';
import { Tracker } from './tracker.ts';
import { Workplace } from './workplace.ts';

const MIB = 1 << 20;
const FIRST_PORT = 20_000;
const MAKE_MS = 120_000;

export type Meta = 'v1' | 'v2' | 'hybrid';

export interface Made {
  readonly torrent: string;
  readonly content: string;
  readonly lengthBytes: number;
}

export class Scene {
  readonly place: Workplace;
  readonly tracker: Tracker;
  /** A network namespace; else the loopback of the machine. */
  readonly ownNetwork: boolean;

  static async open(ownNetwork: boolean, needBytes: number): Promise<Scene> {
    return new Scene(new Workplace(needBytes), await Tracker.open(ownNetwork ? '198.18.0.1' : '127.0.0.1'), ownNetwork);
  }

  private constructor(place: Workplace, tracker: Tracker, ownNetwork: boolean) {
    this.place = place;
    this.tracker = tracker;
    this.ownNetwork = ownNetwork;
  }

  /** Where the program number `index` of a run listens. (Transmission takes nobody from 127.0.0.0/8.) */
  address(index: number): { readonly ip: string; readonly port: number } {
    return { ip: this.ownNetwork ? `198.18.0.${10 + index}` : `127.0.1.${10 + index}`, port: FIRST_PORT + index };
  }

  /** A file of random content; made once. */
  payload(sizeMib: number): string {
    const folder = join(this.place.folder, `payload-${sizeMib}`);
    const path = join(folder, 'payload.bin');
    if (!existsSync(path)) {
      mkdirSync(folder, { recursive: true });
      writePayload(path, sizeMib * MIB);
    }
    return path;
  }

  /** A folder of small files; made once. */
  smallFiles(count: number, lengthBytes: number): string {
    const path = join(this.place.folder, `small-${count}`, 'small files');
    if (!existsSync(path)) writeSmallFiles(path, count, lengthBytes);
    return path;
  }

  /** A payload and its torrent. */
  async torrent(sizeMib: number, pieceBytes: number, meta: Meta = 'v1'): Promise<Made> {
    const content = this.payload(sizeMib);
    return { torrent: await this.torrentOf(content, pieceBytes, meta), content, lengthBytes: sizeMib * MIB };
  }

  /** The private torrent of a content with this scene's tracker; made once. */
  async torrentOf(content: string, pieceBytes: number, meta: Meta = 'v1'): Promise<string> {
    const torrent = `${dirname(content)}-${pieceBytes}-${meta}.torrent`;
    if (!existsSync(torrent)) {
      const shape = ['--piece-length', String(pieceBytes), '--meta', meta, '--private', '--tracker', this.tracker.url];
      const log = join(this.place.folder, 'create.log');
      const options = { log, home: this.place.folder, timeoutMs: MAKE_MS };
      const { code } = await measure([process.execPath, SHOAL, 'create', content, '-o', torrent, ...shape], options);
      if (code !== 0) throw new Error(`the torrent could not be made: ${lastWords(log)}`);
    }
    return torrent;
  }

  /** Lets go of everything made so far: memory is short. */
  clear(): void {
    for (const name of readdirSync(this.place.folder)) this.place.discard(join(this.place.folder, name));
  }

  close(): void {
    this.tracker.close();
    this.place.close();
  }
}
