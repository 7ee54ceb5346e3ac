// The site as the tracker's thread sees it: decides over announces by itself, and passes all else to the site's thread.

import { Worker } from 'node:worker_threads';
import { describeError, ShoalError } from '../../base/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { AccessMemory } from './access-gate.ts';
import type { SwarmCounts } from './site.ts';
import { SiteDesk } from './site-desk.ts';
import { SiteGuests } from './site-guests.ts';
import type { FromSite, SiteRequest, SiteResponse, SiteShare, SiteThreadOptions, ToSite } from './site-protocol.ts';

export interface SiteHostOptions extends SiteThreadOptions {
  readonly log: Log;
  nowMs(): number;
  /** What a swarm has; null before the tracker is there. */
  countOf(infoHash: Uint8Array): SwarmCounts | null;
}

/** Requests that wait for the site's thread; more are told to come back. */
const MAX_WAITING = 64;
/** Bodies under way on a thread: two of the largest, or many small ones. */
const MAX_BODY_BYTES: number = 128 * 1024 * 1024;
/** A thread that died is started again, but not in a circle. */
const RESTART_MS = 2000;

/** What a thread says that has begun. */
interface ThreadEvents {
  onMessage(message: FromSite): void;
  onExit(): void;
}

interface Pending {
  readonly resolve: (response: SiteResponse) => void;
  readonly reject: (error: Error) => void;
}

export class SiteHost {
  /** For the tracker's first thread. */
  readonly desk: SiteDesk;
  readonly #guests: SiteGuests;
  readonly #options: SiteHostOptions;
  readonly #waiting = new Map<number, Pending>();
  #memory: AccessMemory;
  #worker: Worker | null;
  #restart: NodeJS.Timeout | null = null;
  #nextId = 0;
  #closed = false;

  /** Starts the thread and opens the database. STATE_INVALID, STATE_VERSION, PERMISSION, READ_ONLY, IO. */
  static async open(options: SiteHostOptions): Promise<SiteHost> {
    // What the thread says first may come before there is a host.
    const early: ((host: SiteHost) => void)[] = [];
    let host: SiteHost | null = null;
    const tell = (event: (to: SiteHost) => void): void => {
      if (host === null) early.push(event);
      else event(host);
    };
    const started = await startThread(options, {
      onMessage: (message) => tell((to) => to.#onMessage(message)),
      onExit: () => tell((to) => to.#onExit()),
    });
    host = new SiteHost(options, started);
    for (const event of early) event(host);
    return host;
  }

  private constructor(options: SiteHostOptions, { worker, memory }: Started) {
    this.#options = options;
    const noted = (batch: Float64Array): void => this.#say({ kind: 'ledger', batch }, [batch.buffer as ArrayBuffer]);
    const asked = { fetch: (request: SiteRequest) => this.fetch(request), noted };
    const { mode, maxUploadBytes, nowMs } = options;
    this.desk = new SiteDesk({ mode, memory, maxUploadBytes, maxBodyBytes: MAX_BODY_BYTES, nowMs, ...asked });
    this.#guests = new SiteGuests(asked);
    this.#memory = memory;
    this.#worker = worker;
  }

  /** For another thread of the tracker, which makes a {@link SiteGuest} of it; the port has to be transferred. */
  share(): SiteShare {
    const { mode, maxUploadBytes } = this.#options;
    return this.#guests.admit({ mode, memory: this.#memory, maxUploadBytes, maxBodyBytes: MAX_BODY_BYTES });
  }

  /** STOPPED where the site cannot answer now, TOO_MANY_REQUESTS where too many wait. The body is taken over. */
  fetch(request: SiteRequest): Promise<SiteResponse> {
    if (this.#worker === null) return Promise.reject(new ShoalError('STOPPED', 'the catalogue is not available now'));
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new ShoalError('TOO_MANY_REQUESTS', 'the tracker is busy: try again in a moment'));
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#say({ kind: 'request', id, request }, request.body === null ? [] : [request.body.buffer as ArrayBuffer]);
    });
  }

  /** Writes what is still to be written, and ends the thread. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.desk.close();
    this.#guests.close();
    this.#closed = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker !== null) {
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      this.#say({ kind: 'close' });
      await ended;
    }
    this.#rejectAll();
  }

  #say(message: ToSite, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, [...transfer]);
  }

  #onMessage(message: FromSite): void {
    if (message.kind === 'response') {
      this.#waiting.get(message.id)?.resolve(message.response);
      this.#waiting.delete(message.id);
    } else if (message.kind === 'memory') this.#adopt(message.memory);
    else if (message.kind === 'count') this.#count(message.id, message.hashes);
    else if (message.kind === 'log') this.#options.log.write(message.level, message.message, { error: message.error });
  }

  #adopt(memory: AccessMemory): void {
    this.#memory = memory;
    this.desk.adopt(memory);
    this.#guests.replaced(memory);
  }

  /** An empty answer says that they cannot be counted now. */
  #count(id: number, hashes: Uint8Array): void {
    const counts: number[] = [];
    for (let at = 0; at < hashes.length; at += 20) {
      const count = this.#options.countOf(hashes.subarray(at, at + 20));
      if (count !== null) counts.push(count.seeds, count.leeches);
    }
    const told = Uint32Array.from(counts);
    this.#say({ kind: 'counts', id, counts: told }, [told.buffer]);
  }

  #onExit(): void {
    this.#worker = null;
    this.#rejectAll();
    if (!this.#closed) this.#restart = setTimeout(() => void this.#start(), RESTART_MS);
  }

  /** Announces are decided meanwhile by what was known. */
  async #start(): Promise<void> {
    try {
      const { worker, memory } = await startThread(this.#options, {
        onMessage: (message) => this.#onMessage(message),
        onExit: () => this.#onExit(),
      });
      this.#worker = worker;
      this.#adopt(memory);
      if (this.#closed) await worker.terminate();
    } catch (error) {
      this.#options.log.write('error', "the catalogue's thread could not be started", { error: describeError(error) });
      if (!this.#closed) this.#restart = setTimeout(() => void this.#start(), RESTART_MS);
    }
  }

  #rejectAll(): void {
    const error = new ShoalError('STOPPED', 'the catalogue is not available now');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

interface Started {
  readonly worker: Worker;
  readonly memory: AccessMemory;
}

/** Resolves when the database is open; `events` hears of all that comes after that. */
function startThread(options: SiteHostOptions, events: ThreadEvents): Promise<Started> {
  const { databasePath, mode, publicUrl, maxUploadBytes } = options;
  const workerData: SiteThreadOptions = { databasePath, mode, publicUrl, maxUploadBytes };
  const worker = new Worker(threadUrl(), { name: 'shoal site', execArgv: [], workerData });
  return new Promise((resolve, reject) => {
    let isReady = false;
    const fail = (error: unknown): void => {
      const text = `the catalogue's thread did not begin: ${describeError(error)}`;
      reject(error instanceof ShoalError ? error : new ShoalError('IO', text));
    };
    worker.on('message', (message: FromSite) => {
      if (isReady) events.onMessage(message);
      else if (message.kind === 'failed') fail(new ShoalError(message.code, message.message));
      else if (message.kind === 'ready') {
        isReady = true;
        resolve({ worker, memory: message.memory });
      }
    });
    worker.on('error', (error) => {
      if (!isReady) fail(error);
      else options.log.write('error', "the catalogue's thread failed", { error: describeError(error) });
    });
    worker.on('exit', () => {
      if (isReady) events.onExit();
      else fail('it has ended');
    });
  });
}

/** Run from the sources (tests), Node cannot load TypeScript in a thread: the built file beside `src` is taken. */
function threadUrl(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./site-thread.js', here);
  return new URL('../../../dist/tracker/site/site-thread.js', here);
}
