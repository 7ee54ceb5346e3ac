// A connection on which the exchanges that are asked for in one turn go together: a command of many steps costs both ends much
// less than many commands do.

import { createHash } from 'node:crypto';
import type { RedisArgument } from 'redis';
import { ErrorReply } from 'redis';
import type { SwarmAnswer, SwarmExchange } from '../../../ports/swarm-store.ts';
import { packExchanges, unpackAnswers } from './redis-packets.ts';
import { STEP_PAGE, STEPS } from './redis-script.ts';

/** Steps of a command, and bytes of changes: Redis does nothing else meanwhile, half a millisecond as a rule. */
const MAX_STEPS = 16;
const MAX_CHANGES_BYTES = 8192;
const SHA: string = createHash('sha1').update(STEPS).digest('hex');
const PAGE = String(STEP_PAGE);

/** Sends a command about a key to wherever that is. */
export type Send = (key: Buffer, args: RedisArgument[]) => Promise<unknown>;

interface Asked {
  readonly request: SwarmExchange;
  readonly key: Buffer;
  resolve(answer: SwarmAnswer): void;
  reject(error: unknown): void;
}

export class RedisLane {
  readonly #send: Send;
  /** Each step is a command of its own: keys lie on different servers. */
  #isSingle: boolean;
  #gathered: Asked[] = [];
  #changesBytes = 0;

  constructor(send: Send, isSingle: boolean) {
    this.#send = send;
    this.#isSingle = isSingle;
  }

  exchange(request: SwarmExchange, key: Buffer): Promise<SwarmAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#gathered.length === 0) queueMicrotask(() => this.#flush());
      this.#gathered.push({ request, key, resolve, reject });
      this.#changesBytes += request.changes.length;
      const most = this.#isSingle ? 1 : MAX_STEPS;
      if (this.#gathered.length >= most || this.#changesBytes >= MAX_CHANGES_BYTES) this.#flush();
    });
  }

  #flush(): void {
    const asked = this.#gathered;
    if (asked.length === 0) return;
    this.#gathered = [];
    this.#changesBytes = 0;
    void this.#ask(asked);
  }

  /** Settles all of them. */
  async #ask(asked: readonly Asked[]): Promise<void> {
    try {
      const reply = await this.#carryOut(asked);
      for (const [i, answer] of unpackAnswers(reply, asked.length).entries()) {
        if (answer instanceof Error) asked[i]!.reject(answer);
        else asked[i]!.resolve(answer);
      }
    } catch (error) {
      // A single server with several behind it says so.
      if (asked.length > 1 && error instanceof ErrorReply && error.message.startsWith('CROSSSLOT')) {
        this.#isSingle = true;
        for (const one of asked) void this.#ask([one]);
      } else for (const one of asked) one.reject(error);
    }
  }

  async #carryOut(asked: readonly Asked[]): Promise<unknown> {
    const keys = asked.map(({ key }) => key);
    const packed = packExchanges(asked.map(({ request }) => request));
    const rest: RedisArgument[] = [String(keys.length), ...keys, packed, PAGE];
    try {
      return await this.#send(keys[0]!, ['EVALSHA', SHA, ...rest]);
    } catch (error) {
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
      return this.#send(keys[0]!, ['EVAL', STEPS, ...rest]);
    }
  }
}
