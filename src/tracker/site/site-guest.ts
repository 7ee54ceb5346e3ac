// The site on a worker thread of the tracker: tables in shared memory, and a port to the first thread for all else.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { ShoalError } from '../../base/errors.ts';
import { SiteDesk } from './site-desk.ts';
import type { FromGuest, SiteResponse, SiteShare, ToGuest } from './site-protocol.ts';

interface Pending {
  readonly resolve: (response: SiteResponse) => void;
  readonly reject: (error: Error) => void;
}

export class SiteGuest {
  readonly desk: SiteDesk;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Pending>();
  readonly #version: Int32Array;
  #seen: number;
  #nextId = 0;

  /** `nowMs` shows the first thread's time. */
  constructor(share: SiteShare, nowMs: () => number) {
    const { port, version, seen, ...rest } = share;
    this.#port = port;
    this.#version = new Int32Array(version);
    this.#seen = seen;
    this.desk = new SiteDesk({
      ...rest,
      nowMs,
      look: () => this.#look(),
      fetch: (request) =>
        new Promise((resolve, reject) => {
          const id = this.#nextId++;
          this.#waiting.set(id, { resolve, reject });
          this.#say(
            { kind: 'request', id, request },
            request.body === null ? [] : [request.body.buffer as ArrayBuffer],
          );
        }),
      noted: (batch) => this.#say({ kind: 'ledger', batch }, [batch.buffer as ArrayBuffer]),
    });
    port.on('message', (message: ToGuest) => this.#heard(message));
  }

  /** Call when the tracker serves no more on this thread. */
  close(): void {
    this.desk.close();
    this.#port.close();
  }

  /**
   * Tables that were replaced are taken over before the next decision, not when the loop comes to the message: whoever was
   * told that a torrent is published may announce it at once, at any thread.
   */
  #look(): void {
    if (Atomics.load(this.#version, 0) === this.#seen) return;
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      this.#heard(next.message as ToGuest);
    }
  }

  #heard(message: ToGuest): void {
    if (message.kind === 'memory') {
      this.#seen = message.version;
      this.desk.adopt(message.memory);
      return;
    }
    const pending = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'response') pending?.resolve(message.response);
    else pending?.reject(new ShoalError(message.code, message.message));
  }

  #say(message: FromGuest, transfer: readonly ArrayBuffer[]): void {
    this.#port.postMessage(message, [...transfer]);
  }
}
