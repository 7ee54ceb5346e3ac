// The listening port: connections come in, say which torrent they want, and are handed to it.

import type { Address } from '../base/address.ts';
import { equalBytes } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import { Greeting, type GreetingAnswer, type GreetingEvents } from '../peer/greeting.ts';
import type { Timer } from '../ports/clock.ts';
import type { Env } from '../ports/env.ts';
import type { ByteStream, StreamListener } from '../ports/sockets.ts';
import type { Torrent } from '../torrent/torrent.ts';
import type { Handshake } from '../wire/handshake.ts';

/** Where clients have listened since the first one; the next ones are tried while it is taken. */
const FIRST_PORT = 6881;
const PORTS_TRIED = 100;
/** A connection that does not say what it wants is closed after this. */
const GREETING_MS = 10_000;
const SWEEP_MS = 2_000;
/** Connections that may be silent at once: more would be an attack on our file descriptors. */
const MAX_GREETINGS = 100;

export interface AcceptorHost {
  takeConnection(): boolean;
  giveConnection(): void;
  torrents(): readonly Torrent[];
}

export class Acceptor implements GreetingEvents {
  readonly #env: Env;
  readonly #greetings: Set<Greeting> = new Set();
  #listener: StreamListener | null = null;
  #host: AcceptorHost | null = null;
  #sweep: Timer | null = null;

  private constructor(env: Env) {
    this.#env = env;
  }

  static async open(
    env: Env,
    listen: { readonly ip: Uint8Array | null; readonly port: number | null },
  ): Promise<Acceptor> {
    const acceptor = new Acceptor(env);
    const accept = (stream: ByteStream): void => acceptor.#accept(stream);
    const first = listen.port ?? FIRST_PORT;
    for (let port = first; acceptor.#listener === null; port++) {
      try {
        acceptor.#listener = await env.sockets.listen({ ip: listen.ip, port }, accept);
      } catch (error) {
        const more = listen.port === null && port < first + PORTS_TRIED;
        if (!more || !isShoalError(error, 'LISTEN_FAILED')) throw error;
      }
    }
    return acceptor;
  }

  /** From here on connections are taken; before, they are refused. */
  serve(host: AcceptorHost): void {
    this.#host = host;
  }

  get addresses(): readonly Address[] {
    return this.#listener ? [this.#listener.address] : [];
  }

  get port(): number {
    return this.#listener?.address.port ?? 0;
  }

  #accept(stream: ByteStream): void {
    const greeting = new Greeting(stream, null, this.#env.clock.nowMs(), this);
    if (this.#greetings.size >= MAX_GREETINGS || !this.#host?.takeConnection()) {
      greeting.abandon('too many connections');
      return;
    }
    this.#greetings.add(greeting);
    this.#sweep ??= this.#env.clock.after(SWEEP_MS, () => this.#sweepSilent());
  }

  onHandshake(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    const torrent = this.#host?.torrents().find(({ identity: { infoHashV1, infoHashV2 } }) => {
      return (
        (infoHashV1 && equalBytes(infoHashV1, handshake.infoHash)) ||
        (infoHashV2 && equalBytes(infoHashV2.subarray(0, 20), handshake.infoHash))
      );
    });
    if (!torrent) return { refused: 'no such torrent here' };
    const answer = torrent.accept(greeting, handshake);
    // Handed over: the torrent's swarm gives the connection back.
    if ('sink' in answer) this.#greetings.delete(greeting);
    return answer;
  }

  onGreetingFailed(greeting: Greeting, why: string): void {
    if (!this.#greetings.delete(greeting)) return;
    this.#host?.giveConnection();
    this.#env.log.write('debug', 'connection refused', { peer: greeting.remote.key, why });
  }

  #sweepSilent(): void {
    this.#sweep = null;
    const nowMs = this.#env.clock.nowMs();
    for (const greeting of this.#greetings) {
      if (nowMs - greeting.sinceMs > GREETING_MS) greeting.abandon('it did not say what it wants');
    }
    if (this.#greetings.size > 0) this.#sweep = this.#env.clock.after(SWEEP_MS, () => this.#sweepSilent());
  }

  async close(): Promise<void> {
    this.#sweep?.cancel();
    for (const greeting of this.#greetings) greeting.abandon('stopping');
    await this.#listener?.close();
  }
}
