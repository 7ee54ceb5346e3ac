// Many torrents in one process: one listening port, shared limits and memory, one record of what was shared and fetched.

import type { Address } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { ShoalError } from '../base/errors.ts';
import { makePeerId } from '../base/ids.ts';
import type { Magnet, Metainfo } from '../metainfo/types.ts';
import type { Timer } from '../ports/clock.ts';
import type { Env } from '../ports/env.ts';
import type { StoreLock } from '../ports/store.ts';
import { TokenBucket } from '../rates/token-bucket.ts';
import { PieceReader } from '../storage/read.ts';
import { Connections } from '../torrent/connections.ts';
import type { TorrentHost } from '../torrent/context.ts';
import { SlotShares } from '../torrent/slot-shares.ts';
import { Torrent } from '../torrent/torrent.ts';
import { TrackerClient } from '../tracker/client/client.ts';
import { Acceptor } from './acceptor.ts';
import { Registry } from './registry.ts';
import type { AddRequest, SessionOptions } from './request.ts';

/** Memory for serving: read-ahead of some dozens of peers, and a cache of what they ask for. */
const READER_BYTES = 48 * 1024 * 1024;
/** Connections of all torrents together; each costs a file descriptor and some 100 KiB under load. */
const MAX_CONNECTIONS = 500;
const MAX_PEERS_A_TORRENT = 200;
/** With a limit set, tokens are handed out so often: also when the loop runs late a bucket has not run over. */
const TOKEN_TICK_MS = 25;
const CLIENT_NAME = 'Shoal 0.1.0';

interface Held {
  readonly torrent: Torrent;
  readonly lock: StoreLock;
}

export class Session {
  readonly #env: Env;
  readonly #acceptor: Acceptor;
  readonly #trackers: TrackerClient;
  readonly #host: TorrentHost;
  readonly #registry: Registry;
  readonly #held: Map<string, Held> = new Map();
  /** Ids of torrents whose lock is being taken. */
  readonly #locking: Set<string> = new Set();
  /** By hex of the info hashes as handshakes name them. */
  readonly #byHash: Map<string, Torrent> = new Map();
  readonly #hungry: Set<{ tokensArrived(): void }> = new Set();
  #tokenTimer: Timer | null = null;
  /** Times that tokens were handed out. */
  #turn = 0;
  #closing: Promise<void> | null = null;

  private constructor(env: Env, options: SessionOptions, acceptor: Acceptor, peerId: Uint8Array) {
    this.#env = env;
    this.#acceptor = acceptor;
    this.#trackers = new TrackerClient(env, { from: options.listen.ip });
    this.#registry = new Registry(env.store, () => env.clock.wallMs());
    const nowMs = env.clock.nowMs();
    this.#host = {
      env,
      peerId,
      clientName: CLIENT_NAME,
      trackers: this.#trackers,
      reader: new PieceReader(READER_BYTES),
      from: options.listen.ip,
      networks: env.sockets.networks(),
      listenPort: () => acceptor.port,
      slotShares: new SlotShares(env.clock),
      connections: new Connections(options.maxConnections ?? MAX_CONNECTIONS),
      down: new TokenBucket(options.maxDownloadBytesPerSecond ?? null, nowMs),
      up: new TokenBucket(options.maxUploadBytesPerSecond ?? null, nowMs),
      wantTokens: (torrent) => this.#wantTokens(torrent),
    };
  }

  /** Listens. LISTEN_FAILED. */
  static async open(env: Env, options: SessionOptions): Promise<Session> {
    const peerId = makePeerId((bytes) => env.random.fill(bytes));
    const acceptor = await Acceptor.open(env, options.listen);
    const session = new Session(env, options, acceptor, peerId);
    acceptor.serve((infoHash) => session.#byHash.get(toHex(infoHash)) ?? null);
    return session;
  }

  get listening(): readonly Address[] {
    return this.#acceptor.addresses;
  }

  /** 20 bytes: what this session calls itself to peers and trackers. */
  get peerId(): Uint8Array {
    return this.#host.peerId;
  }

  get torrents(): readonly Torrent[] {
    return [...this.#held.values()].map((held) => held.torrent);
  }

  /**
   * Takes a torrent up. Resolves when its content is open and checked, or (magnet) the search for its metadata has
   * begun. TORRENT_EXISTS: this session has it. TORRENT_BUSY: another process holds it. CONTENT_BAD, and what the disk says.
   */
  async add(request: AddRequest, options: { readonly signal?: AbortSignal } = {}): Promise<Torrent> {
    if (this.#closing) throw new ShoalError('STOPPED', 'the session is closing');
    const source = request.metainfo ?? request.magnet!;
    const identity = 'info' in source ? source.info : source;
    const id = await this.#registry.idOf(identity);
    const lock = await this.#lock(id);
    const torrent = this.#make(request, source, id);
    this.#held.set(id, { torrent, lock });
    this.#locking.delete(id);
    for (const name of handshakeNames(torrent)) this.#byHash.set(name, torrent);
    const onAbort = (): void => void torrent.stop(0);
    options.signal?.addEventListener('abort', onAbort);
    try {
      if (options.signal?.aborted) throw options.signal.reason as Error;
      // Content that is not what it should be was not shared; a fetch goes on in later runs however this one ends.
      if (request.mode === 'get') await this.#registry.began(id, request, source);
      torrent.start();
      await torrent.opened();
      if (request.mode === 'seed') await this.#registry.began(id, request, source);
      return torrent;
    } catch (error) {
      await this.#drop(id, 0);
      throw error;
    } finally {
      options.signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Nothing else of this session or another process has the torrent: it is in `#locking` until it is held. */
  async #lock(id: string): Promise<StoreLock> {
    if (this.#held.has(id) || this.#locking.has(id)) {
      throw new ShoalError('TORRENT_EXISTS', `this torrent is running already (${id})`);
    }
    this.#locking.add(id);
    try {
      const lock = await this.#env.store.lock(`${id}/lock`);
      if (lock === null) {
        const advice = 'stop it, or use another --state';
        throw new ShoalError('TORRENT_BUSY', `another shoal process holds this torrent (${id}); ${advice}`);
      }
      if (!this.#closing) return lock;
      await lock.release();
      throw new ShoalError('STOPPED', 'the session is closing');
    } catch (error) {
      this.#locking.delete(id);
      throw error;
    }
  }

  #make(request: AddRequest, source: Metainfo | Magnet, id: string): Torrent {
    const nowMs = this.#env.clock.nowMs();
    const torrentOptions = {
      mode: request.mode,
      recheck: request.recheck,
      contentPath: request.contentPath ?? null,
      saveFolder: request.saveFolder ?? '.',
      everyTracker: request.everyTracker ?? false,
      only: request.only ?? null,
      sequential: request.sequential ?? false,
      preallocate: request.preallocate ?? false,
      peers: request.peers ?? [],
      down: new TokenBucket(request.maxDownloadBytesPerSecond ?? null, nowMs),
      up: new TokenBucket(request.maxUploadBytesPerSecond ?? null, nowMs),
      maxPeers: MAX_PEERS_A_TORRENT,
      storeKey: id,
    };
    const note = (act: Promise<void>): void => {
      act.catch((error: unknown) =>
        this.#env.log.write('warn', 'the record cannot be kept', { id, why: String(error) }),
      );
    };
    return new Torrent(this.#host, torrentOptions, source, {
      onMetadata: (metainfo, path) => note(this.#registry.learned(id, metainfo, path)),
      onCompleted: (path) => note(this.#registry.completed(id, path)),
    });
  }

  /** Stops one torrent and lets others have it; nothing is deleted. */
  async remove(torrent: Torrent, options: { readonly deadlineMs: number }): Promise<void> {
    for (const [id, held] of this.#held) if (held.torrent === torrent) await this.#drop(id, options.deadlineMs);
  }

  async #drop(id: string, deadlineMs: number): Promise<void> {
    const held = this.#held.get(id);
    if (!held) return;
    await held.torrent.stop(deadlineMs);
    await this.#registry.settled();
    await held.lock.release();
    this.#held.delete(id);
    for (const name of handshakeNames(held.torrent))
      if (this.#byHash.get(name) === held.torrent) this.#byHash.delete(name);
  }

  /**
   * A graceful stop: nobody is accepted any more, every torrent records what it has and tells its trackers. Trackers get
   * `deadlineMs`; what is verified is recorded however long that takes. Idempotent.
   */
  close(options: { readonly deadlineMs: number }): Promise<void> {
    this.#closing ??= this.#close(options.deadlineMs);
    return this.#closing;
  }

  async #close(deadlineMs: number): Promise<void> {
    await this.#acceptor.close();
    // Before the torrents' own: one act for all that still wait to be told.
    const deadline = this.#env.clock.after(deadlineMs, () => void this.#trackers.close());
    await Promise.all([...this.#held.keys()].map((id) => this.#drop(id, deadlineMs)));
    deadline.cancel();
    this.#tokenTimer?.cancel();
    await this.#trackers.close();
  }

  // ---- what torrents share

  #wantTokens(torrent: { tokensArrived(): void }): void {
    this.#hungry.add(torrent);
    if (this.#tokenTimer || this.#closing) return;
    this.#tokenTimer = this.#env.clock.after(TOKEN_TICK_MS, () => {
      this.#tokenTimer = null;
      const hungry = [...this.#hungry];
      this.#hungry.clear();
      // Another torrent is the first each time: who comes first may take all there is.
      const first = this.#turn++ % hungry.length;
      for (let i = 0; i < hungry.length; i++) hungry[(first + i) % hungry.length]!.tokensArrived();
    });
  }
}

/** 20 bytes each, the v2 hash truncated (BEP 52). */
function handshakeNames({ identity: { infoHashV1, infoHashV2 } }: Torrent): string[] {
  return [infoHashV1, infoHashV2].flatMap((hash) => (hash ? [toHex(hash.subarray(0, 20))] : []));
}
