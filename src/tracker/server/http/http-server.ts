// The HTTP side of the tracker: listeners, and all connections with their limits.

import type { Address } from '../../../base/address.ts';
import { assert } from '../../../base/assert.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { ByteStream, ListenOptions, Sockets, StreamListener } from '../../../ports/sockets.ts';
import type { TrackerCounters } from '../status/stats.ts';
import { HttpConnection, type HttpShared, type OtherRequests, type Upgrades } from './http-connection.ts';
import { HttpRequest } from './http-request.ts';
import type { HttpRoutes } from './http-routes.ts';

/** Connections looked at to find one to close when too many are open. */
const SAMPLE = 8;

export interface HttpServerOptions {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: TrackerCounters;
  readonly routes: HttpRoutes;
  readonly maxConnections: number;
  readonly others: OtherRequests | null;
  readonly upgrades: Upgrades | null;
}

export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #shared: HttpShared;
  readonly #connections: HttpConnection[] = [];
  readonly #listeners: StreamListener[] = [];

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#shared = {
      routes: options.routes,
      request: new HttpRequest(),
      counters: options.counters,
      nowMs: () => options.clock.nowMs(),
      closed: (connection) => this.#remove(connection),
      others: options.others,
      upgrades: options.upgrades,
    };
  }

  /** Rejects with LISTEN_FAILED. */
  async listen(options: ListenOptions): Promise<Address> {
    const listener = await this.#options.sockets.listen({ ...options, isBrief: true }, (stream) =>
      this.#accept(stream),
    );
    this.#listeners.push(listener);
    return listener.address;
  }

  /** Closes connections that are past their deadline. To be called about once a second. */
  tick(): void {
    const { clock, counters } = this.#options;
    const nowMs = clock.nowMs();
    for (const connection of this.#connections) {
      if (connection.deadlineMs > nowMs) continue;
      if (connection.isBusy) counters.faults.tooSlow++;
      connection.destroy();
    }
  }

  /** Stops accepting and closes all connections. */
  async close(): Promise<void> {
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(closing);
  }

  #accept(stream: ByteStream): void {
    if (this.#connections.length >= this.#options.maxConnections) this.#makeRoom();
    const connection = new HttpConnection(stream, this.#shared);
    connection.place = this.#connections.length;
    this.#connections.push(connection);
    this.#options.counters.httpConnections++;
    stream.attach(connection);
  }

  /**
   * Closes whichever of a few was of no use for longest. Not the one whose deadline is next: those who asked once and hold
   * on would drive out those who have just come, and are about to ask.
   */
  #makeRoom(): void {
    const { random, counters } = this.#options;
    counters.httpRefused++;
    counters.faults.tooManyConnections++;
    let victim = this.#connections[random.below(this.#connections.length)]!;
    for (let i = 1; i < SAMPLE; i++) {
      const other = this.#connections[random.below(this.#connections.length)]!;
      if (other.usedMs < victim.usedMs) victim = other;
    }
    this.#remove(victim);
    victim.destroy();
  }

  #remove(connection: HttpConnection): void {
    const last = this.#connections.at(-1);
    if (this.#connections[connection.place] !== connection) return;
    assert(last !== undefined, 'a list that holds a connection has a last one');
    this.#connections[connection.place] = last;
    last.place = connection.place;
    this.#connections.pop();
    connection.place = -1;
    this.#options.counters.httpConnections--;
  }
}
