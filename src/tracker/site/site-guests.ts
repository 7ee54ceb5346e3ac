// The worker threads of the tracker, as the site's host sees them: each asks and notes by a port of its own, and is told
// when the tables are replaced.

import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { describeError, isShoalError } from '../../base/errors.ts';
import type { AccessMemory } from './access-gate.ts';
import type { FromGuest, SiteRequest, SiteResponse, SiteShare, ToGuest } from './site-protocol.ts';

export interface GuestsOptions {
  /** Bounded: the host refuses what is too much. */
  fetch(request: SiteRequest): Promise<SiteResponse>;
  /** A batch of a guest's ledger, which changes hands. */
  noted(batch: Float64Array): void;
}

export class SiteGuests {
  readonly #options: GuestsOptions;
  readonly #ports = new Set<MessagePort>();
  /** Counts how often the tables were replaced. */
  readonly #version = new SharedArrayBuffer(4);
  readonly #count = new Int32Array(this.#version);

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** For a thread that begins; its port has to be transferred. */
  admit(rest: Pick<SiteShare, 'mode' | 'memory' | 'maxUploadBytes' | 'maxBodyBytes'>): SiteShare {
    const { port1, port2 } = new MessageChannel();
    this.#ports.add(port1);
    port1.on('message', (message: FromGuest) => this.#heard(port1, message));
    // Its thread has ended, one way or another.
    port1.on('close', () => this.#ports.delete(port1));
    port1.unref();
    return { ...rest, port: port2, version: this.#version, seen: this.#count[0]! };
  }

  /** The tables were replaced: from now on no guest decides by the old ones. */
  replaced(memory: AccessMemory): void {
    const version = this.#count[0]! + 1;
    for (const port of this.#ports) port.postMessage({ kind: 'memory', memory, version } satisfies ToGuest);
    Atomics.store(this.#count, 0, version);
  }

  /** Takes what guests said last, and lets them go. */
  close(): void {
    for (const port of this.#ports) {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        this.#heard(port, next.message as FromGuest);
      }
      port.close();
    }
    this.#ports.clear();
  }

  #heard(port: MessagePort, message: FromGuest): void {
    if (message.kind === 'ledger') this.#options.noted(message.batch);
    else void this.#answer(port, message.id, message.request);
  }

  async #answer(port: MessagePort, id: number, request: SiteRequest): Promise<void> {
    try {
      const response = await this.#options.fetch(request);
      port.postMessage({ kind: 'response', id, response } satisfies ToGuest, [response.body.buffer as ArrayBuffer]);
    } catch (error) {
      const code = isShoalError(error) ? error.code : 'INTERNAL';
      port.postMessage({ kind: 'fault', id, code, message: describeError(error) } satisfies ToGuest);
    }
  }
}
