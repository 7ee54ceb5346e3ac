// WebSocket as a transport of the tracker's contract, in virtual time: who is put in touch with whom is told by whose
// offers reach whom.

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

let offers = 0;

export const WEB: Transport = {
  name: 'WebSocket',
  can: {
    pauses: false,
    bothFamilies: false,
    minInterval: false,
    retryIn: true,
    longHashes: false,
    crowds: false,
  },
  open: (env, to, own) => {
    const client = new SimWebClient({ env }, to);
    const asker = new WebAsker(env, client, `-SH0100-${own.key.slice(-12).padStart(12, '.')}`);
    return { asker, close: async () => asker.close() };
  },
};

const askers = new Set<WebAsker>();
/** Who has heard an offer. */
const heardBy = new Map<string, string>();

class WebAsker implements TrackerAsker {
  readonly name: string;
  readonly #env: Env;
  readonly #client: SimWebClient;
  #replies: Message[] = [];

  constructor(env: Env, client: SimWebClient, name: string) {
    this.name = name;
    this.#env = env;
    this.#client = client;
    askers.add(this);
  }

  close(): void {
    askers.delete(this);
    this.#client.stream.destroy();
  }

  async announce(changes: Partial<AnnounceRequest> = {}): Promise<Awaited<ReturnType<TrackerAsker['announce']>>> {
    const { infoHash, left, event, numWant } = request(changes);
    const wanted = event === 'stopped' ? 0 : Math.min(numWant ?? OFFERS, MOST_OFFERS);
    const ids = Array.from({ length: wanted }, () => String(offers++).padStart(20, 'o'));
    await this.#connected();
    this.#client.send({
      action: 'announce',
      info_hash: latin1(infoHash),
      peer_id: this.name,
      left,
      numwant: wanted,
      ...(event !== 'none' && { event }),
      offers: ids.map((offer_id) => ({ offer: { type: 'offer', sdp: 'v=0' }, offer_id })),
    });
    const reply = await this.#reply();
    const reason = reply['failure reason'];
    if (typeof reason === 'string') throw new TrackerError(reason, 60 * Number(reply['retry in']));
    for (const each of askers) each.#listen();
    const peers = ids.map((id) => heardBy.get(id)).filter((name) => name !== undefined);
    const { interval, complete, incomplete } = reply as Readonly<Record<string, number>>;
    return { intervalS: interval!, minIntervalS: null, seeds: complete!, leeches: incomplete!, peers };
  }

  async scrape(infoHashes: readonly Uint8Array[]): ReturnType<TrackerAsker['scrape']> {
    await this.#connected();
    this.#client.send({ action: 'scrape', info_hash: infoHashes.map(latin1) });
    const { files } = (await this.#reply()) as { files: Readonly<Record<string, Record<string, number>>> };
    return new Map(
      Object.entries(files).map(([hash, { complete, incomplete, downloaded }]) => [
        toHex(fromLatin1(hash)),
        { seeds: complete!, leeches: incomplete!, completed: downloaded! },
      ]),
    );
  }

  async #connected(): Promise<void> {
    while (this.#client.head === '') await sleep(this.#env.clock, 100);
  }

  /** The next one; what the tracker has sent to others meanwhile has arrived, too. */
  async #reply(): Promise<Message> {
    await sleep(this.#env.clock, 500);
    this.#listen();
    const reply = this.#replies.shift();
    if (reply === undefined) throw new Error('the tracker has not answered');
    return reply;
  }

  #listen(): void {
    for (const message of this.#client.heard.splice(0)) {
      if ('offer' in message) heardBy.set(message.offer_id as string, this.name);
      else this.#replies.push(message);
    }
  }
}
