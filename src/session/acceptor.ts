// The listening port: connections come in, say which torrent they want, and are handed to it.

import { type Address, isLoopback, sameSite } from '../base/address.ts';
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
/** Connections that may be silent at once: more would be an attack on our file descriptors. The oldest makes room. */
const MAX_GREETINGS = 200;
/** Of one address of another machine: its own oldest makes room, so that it cannot crowd out others. */
const MAX_GREETINGS_AN_ADDRESS = 32;

/** The torrent that a handshake names, by 20 bytes. */
export type FindTorrent = (infoHash: Uint8Array) => Torrent | null;

export class Acceptor implements GreetingEvents {
  readonly #env: Env;
  readonly #greetings: Set<Greeting> = new Set();
  #listener: StreamListener | null = null;
  #find: FindTorrent | null = null;
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
  serve(find: FindTorrent): void {
    this.#find = find;
  }

  get addresses(): readonly Address[] {
    return this.#listener ? [this.#listener.address] : [];
  }

  get port(): number {
    return this.#listener?.address.port ?? 0;
  }

  #accept(stream: ByteStream): void {
    const greeting = new Greeting(stream, null, this.#env.clock.nowMs(), this);
    if (this.#find === null) {
      greeting.abandon('nobody is served yet');
      return;
    }
    this.#makeRoom(greeting.remote);
    this.#greetings.add(greeting);
    this.#sweep ??= this.#env.clock.after(SWEEP_MS, () => this.#sweepSilent());
  }

  /** In the set the oldest come first. */
  #makeRoom({ ip }: Address): void {
    let oldest: Greeting | null = null;
    let count = 0;
    for (const greeting of this.#greetings) {
      if (!sameSite(greeting.remote.ip, ip)) continue;
      oldest ??= greeting;
      count++;
    }
    if (count >= MAX_GREETINGS_AN_ADDRESS && !isLoopback(ip)) {
      this.#drop(oldest!, 'its address has too many connections');
    } else if (this.#greetings.size >= MAX_GREETINGS) {
      this.#drop(this.#greetings.values().next().value!, 'too many connections');
    }
  }

  /** Counted no more from now on, though a connection takes a moment to close. */
  #drop(greeting: Greeting, why: string): void {
    greeting.abandon(why);
    this.onGreetingFailed(greeting, why);
  }

  onHandshake(greeting: Greeting, handshake: Handshake): GreetingAnswer {
    const torrent = this.#find?.(handshake.infoHash);
    if (!torrent) return { refused: 'no such torrent here' };
    const answer = torrent.accept(greeting, handshake);
    if ('sink' in answer) this.#greetings.delete(greeting);
    return answer;
  }

  onGreetingFailed(greeting: Greeting, why: string): void {
    if (!this.#greetings.delete(greeting)) return;
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
