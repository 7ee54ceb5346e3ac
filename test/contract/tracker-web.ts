// WebSocket as a transport of the tracker's contract: who is put in touch with whom is told by whose offers reach whom.

import { fromLatin1, latin1, toHex } from '../../src/base/bytes.ts';
import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';
import { TrackerError } from '../../src/tracker/client/tracker-error.ts';
import type { AnnounceRequest } from '../../src/tracker/protocol/announce.ts';
import { request } from '../support/announce-request.ts';
import { SimWebClient } from '../support/sim-web-client.ts';
import type { Message } from '../support/web-messages.ts';
import type { TrackerAsker } from './tracker.ts';
import type { Transport } from './tracker-worlds.ts';

/** Offers of an announce that does not say how many it wants. */
const OFFERS = 5;
const MOST_OFFERS = 10;
/** Between two looks at what came. */
const LOOK_MS = 5;
/** For a reply. */
const PATIENCE_MS = 10_000;
/** What follows offers comes as soon as they do; who does not hear it has left. That takes its time on a busy machine. */
const FOLLOWS_MS = { simulated: 500, real: PATIENCE_MS };

let ids = 0;
const newId = (): string => String(ids++).padStart(20, 'o');

function overWeb(followsMs: number): Transport {
  return {
    name: 'WebSocket',
    can: {
      pauses: false,
      bothFamilies: true,
      minInterval: false,
      retryIn: true,
      longHashes: false,
      crowds: false,
    },
    open: (env, to, own) => {
      const client = new SimWebClient({ env }, to);
      const name = `-SH0100-${own.key.slice(-12).padStart(12, '.')}`;
      const asker = new WebAsker(env, client, { name, followsMs });
      return { asker, close: async () => asker.close() };
    },
  };
}

/** In the simulator. */
export const WEB: Transport = overWeb(FOLLOWS_MS.simulated);
/** Where time is real. */
export const REAL_WEB: Transport = overWeb(FOLLOWS_MS.real);

const askers = new Set<WebAsker>();
/** Who is in a swarm, by its info hash, which no two tests share. */
const members = new Map<string, Set<WebAsker>>();
/** Who has heard an offer. */
const heardBy = new Map<string, string>();

class WebAsker implements TrackerAsker {
  readonly name: string;
  readonly #env: Env;
  readonly #client: SimWebClient;
  readonly #followsMs: number;
  #replies: Message[] = [];
  /** Ids of the answers that came. */
  readonly #answers = new Set<unknown>();

  /** `name`: its peer id; `followsMs`: how long it waits for what follows offers. */
  constructor(env: Env, client: SimWebClient, own: { name: string; followsMs: number }) {
    this.name = own.name;
    this.#env = env;
    this.#client = client;
    this.#followsMs = own.followsMs;
    askers.add(this);
  }

  close(): void {
    askers.delete(this);
    for (const swarm of members.values()) swarm.delete(this);
    this.#client.stream.destroy();
  }

  async announce(changes: Partial<AnnounceRequest> = {}): Promise<Awaited<ReturnType<TrackerAsker['announce']>>> {
    const { infoHash, left, event, numWant } = request(changes);
    const wanted = event === 'stopped' ? 0 : Math.min(numWant ?? OFFERS, MOST_OFFERS);
    const offerIds = Array.from({ length: wanted }, newId);
    const about = { action: 'announce', info_hash: latin1(infoHash), peer_id: this.name };
    await this.#connected();
    this.#client.send({
      ...about,
      left,
      numwant: wanted,
      ...(event !== 'none' && { event }),
      offers: offerIds.map((offer_id) => ({ offer: { type: 'offer', sdp: 'v=0' }, offer_id })),
    });
    const reply = await this.#answered();
    const swarm = this.#swarm(infoHash);
    if (event === 'stopped') swarm.delete(this);
    else swarm.add(this);
    if (wanted > 0) await this.#follow(about, swarm);
    const peers = offerIds.map((id) => heardBy.get(id)).filter((name) => name !== undefined);
    const { interval, complete, incomplete } = reply as Readonly<Record<string, number>>;
    return { intervalS: interval!, minIntervalS: null, seeds: complete!, leeches: incomplete!, peers };
  }

  async scrape(infoHashes: readonly Uint8Array[]): ReturnType<TrackerAsker['scrape']> {
    await this.#connected();
    this.#client.send({ action: 'scrape', info_hash: infoHashes.map(latin1) });
    const reply = await this.#answered();
    const { files } = reply as { files: Readonly<Record<string, Record<string, number>>> };
    return new Map(
      Object.entries(files).map(([hash, { complete, incomplete, downloaded }]) => [
        toHex(fromLatin1(hash)),
        { seeds: complete!, leeches: incomplete!, completed: downloaded! },
      ]),
    );
  }

  #swarm(infoHash: Uint8Array): Set<WebAsker> {
    const key = toHex(infoHash);
    const swarm = members.get(key) ?? new Set<WebAsker>();
    members.set(key, swarm);
    return swarm;
  }

  /** Sends everybody in the swarm an answer, which goes the way of the offers, behind them. */
  async #follow(about: Message, swarm: ReadonlySet<WebAsker>): Promise<void> {
    const offer_id = newId();
    const to = [...swarm];
    const answer = { type: 'answer', sdp: 'v=0' };
    for (const { name } of to) this.#client.send({ ...about, to_peer_id: name, offer_id, answer });
    const haveCome = (): boolean => {
      for (const each of askers) each.#listen();
      return to.every((each) => each.#answers.has(offer_id));
    };
    await this.#until(haveCome, this.#followsMs);
  }

  /** The next reply. Rejects where it is a refusal. */
  async #answered(): Promise<Message> {
    const reply = await this.#reply();
    const reason = reply['failure reason'];
    if (typeof reason === 'string') throw new TrackerError(reason, 60 * Number(reply['retry in']));
    return reply;
  }

  #connected(): Promise<boolean> {
    return this.#until(() => this.#client.head !== '', PATIENCE_MS);
  }

  async #reply(): Promise<Message> {
    await this.#until(() => {
      this.#listen();
      return this.#replies.length > 0;
    }, PATIENCE_MS);
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error('the tracker has not answered');
    return reply;
  }

  /** False where it has not become so in time. */
  async #until(isSo: () => boolean, withinMs: number): Promise<boolean> {
    const { clock } = this.#env;
    const endMs = clock.nowMs() + withinMs;
    while (!isSo()) {
      if (clock.nowMs() >= endMs) return false;
      await sleep(clock, LOOK_MS);
    }
    return true;
  }

  #listen(): void {
    for (const message of this.#client.heard.splice(0)) {
      if ('offer' in message) heardBy.set(message.offer_id as string, this.name);
      else if ('answer' in message) this.#answers.add(message.offer_id);
      else this.#replies.push(message);
    }
  }
}
