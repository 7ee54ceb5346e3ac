// Who sent how much to whom, from what both ends of every connection say.

import type { StatusEvent } from '../status.ts';

export class Ledger {
  /** Names by IP: every process of the demo has an address of its own. */
  readonly #names: ReadonlyMap<string, string>;
  /** Bytes by `from>to`, then by connection: a pair may have had several, each counting from 0. */
  readonly #flows: Map<string, Map<string, number>> = new Map();

  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
  }

  /** What `name` tells of its peers. Totals of a connection only grow; the receiver's count is the one that is taken. */
  add(name: string, status: StatusEvent): void {
    for (const peer of status.peers) {
      const remote = this.#names.get(peer.address.replace(/:\d+$/, ''));
      if (remote !== undefined) this.#note(remote, name, peer.address, peer.downloaded);
    }
  }

  /** Bytes of content that `from` sent to `to`. */
  sent(from: string, to: string): number {
    let sum = 0;
    for (const bytes of this.#flows.get(`${from}>${to}`)?.values() ?? []) sum += bytes;
    return sum;
  }

  /** Bytes that `from` sent to all of `others`. */
  sentToAll(from: string, others: readonly string[]): number {
    return others.reduce((sum, to) => sum + this.sent(from, to), 0);
  }

  #note(from: string, to: string, connection: string, bytes: number): void {
    const key = `${from}>${to}`;
    const flow = this.#flows.get(key) ?? new Map<string, number>();
    flow.set(connection, Math.max(flow.get(connection) ?? 0, bytes));
    this.#flows.set(key, flow);
  }
}
