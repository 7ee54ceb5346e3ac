// Clients that behave. They are in one swarm, of which nobody else knows: every answer must name all the others, and nobody else.

import { formatIp } from '../../../src/base/address.ts';
import { describeError } from '../../../src/base/errors.ts';
import type { Run } from '../run.ts';
import { Waiting } from './waiting.ts';

/** Who asks, and where. */
export interface Client {
  /** Its own address, from which it asks. */
  readonly ip: string;
  /** Where it says it listens. */
  readonly port: number;
  readonly infoHash: Uint8Array;
}

/** Asks once; resolves with the compact list of peers. Rejects where there is no answer, or a refusal. */
export type Ask = () => Promise<Uint8Array>;

export interface Way {
  readonly who: string;
  connect(client: Client): Promise<{ readonly ask: Ask; close(): void }>;
}

/** Between an answer and the next question. */
const PAUSE_MS = 20;
/** Enough to know what is wrong. */
const MOST_TOLD = 5;

/** One swarm; its members ask in different ways. */
export class HonestSwarm {
  readonly #run: Run;
  readonly #waitings = new Map<string, Waiting>();
  readonly #members = new Set<string>();
  #isComplete = false;
  #told = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Everybody has asked once; from now on all is checked, until the run is over. Begins at once. */
  async begin(ways: readonly Way[], client: (index: number) => Client): Promise<readonly Promise<void>[]> {
    const all = await Promise.all(
      ways.map(async (way, index) => {
        const own = client(index);
        const { ask, close } = await way.connect(own);
        await ask();
        this.#members.add(`${own.ip}:${own.port}`);
        return { way, own, ask, close };
      }),
    );
    this.#isComplete = true;
    return all.map(async ({ way, own, ask, close }) => {
      await this.#askOnAndOn(way.who, own, ask);
      close();
    });
  }

  waits(): readonly Waiting[] {
    return [...this.#waitings.values()];
  }

  async #askOnAndOn(who: string, own: Client, ask: Ask): Promise<void> {
    const waiting = this.#waitings.get(who) ?? new Waiting(who);
    this.#waitings.set(who, waiting);
    while (!this.#run.isOver) {
      const askedMs = performance.now();
      try {
        const peers = await ask();
        waiting.note(performance.now() - askedMs);
        this.#run.count('honest announces');
        this.#check(who, own, peers);
      } catch (error) {
        if (!this.#run.isOver) this.#fail(`${who}: ${describeError(error)}`);
      }
      await this.#run.wait(PAUSE_MS);
    }
  }

  #check(who: string, own: Client, compact: Uint8Array): void {
    const found = new Set<string>();
    for (let at = 0; at + 6 <= compact.length; at += 6) {
      found.add(`${formatIp(compact.subarray(at, at + 4))}:${compact[at + 4]! * 256 + compact[at + 5]!}`);
    }
    const wanted = new Set(this.#members);
    wanted.delete(`${own.ip}:${own.port}`);
    const isRight = found.size === wanted.size && [...found].every((peer) => wanted.has(peer));
    if (this.#isComplete && !isRight) this.#fail(`${who}: told of ${[...found].join(', ')}`);
  }

  #fail(what: string): void {
    this.#run.count('errors of honest clients');
    if (this.#told++ < MOST_TOLD) this.#run.fail(what);
  }
}
