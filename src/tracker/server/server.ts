// A tracker: one swarm table, asked over HTTP, WebSocket and UDP on the same port numbers.

import type { Address } from '../../base/address.ts';
import { fromLatin1 } from '../../base/bytes.ts';
import { describeError } from '../../base/errors.ts';
import { Scope } from '../../base/scope.ts';
import { sleep, type Timer } from '../../ports/clock.ts';
import type { Env } from '../../ports/env.ts';
import type { Random } from '../../ports/random.ts';
import type { SwarmCounts } from '../protocol/http-reply-writer.ts';
import { NOBODY } from './access.ts';
import { Counts } from './announce.ts';
import { ConnectionIds } from './connection-ids.ts';
import { type HeldState, holdState, loadState } from './kept-state.ts';
import { type Settings, settingsOf, type TrackerServerOptions } from './options.ts';
import { Serving } from './serving.ts';
import { CounterBoard } from './status/counter-board.ts';
import { HistoryRing } from './status/history.ts';
import { HistoryRecorder } from './status/history-recorder.ts';
import { TrackerCounters, type TrackerStats } from './status/stats.ts';
import { Status } from './status/status.ts';
import { ThreadReport } from './status/thread-report.ts';
import { newPlace, type Places } from './store/kept-place.ts';
import { UntoldCompletions } from './store/untold-completions.ts';
import { saveSwarms } from './table/snapshot.ts';
import { SwarmTable } from './table/swarm-table.ts';
import { Sweep } from './table/sweep.ts';
import { relayMemory, WebRelays } from './web/web-relays.ts';
import { FIRST_THREAD, Workers, type WorkersOptions } from './workers.ts';

export type { TrackerServerOptions } from './options.ts';

export type TrackerEnv = Pick<Env, 'clock' | 'random' | 'sockets' | 'hashes' | 'store' | 'log'>;

const TICK_MS = 1000;
/** A crash costs what was announced since the last snapshot. */
const STATE_EVERY_MS = 5 * 60_000;
/** Of a tracker that shares nothing. */
const NO_PLACES: Places = { place: 0, formerPlace: null };
/** For threads to close what they have open. */
const WORKER_PATIENCE_MS = 1000;

export class TrackerServer {
  /** Where it listens, in the order of the options, ports filled in. */
  readonly addresses: readonly Address[];
  readonly #env: TrackerEnv;
  readonly #parts: Parts;
  readonly #sweep: Sweep;
  readonly #recorder: HistoryRecorder;
  readonly #scope = new Scope();
  #tick: Timer | null = null;
  #sweepTimer: Timer | null = null;
  #stateAtMs: number;
  #saving: Promise<void> | null = null;

  /** UDP is open before HTTP answers. Rejects with LISTEN_FAILED or STORE_REFUSED, and then has closed what was open. */
  static async open(env: TrackerEnv, options: TrackerServerOptions): Promise<TrackerServer> {
    const settings = settingsOf(options);
    const { clock, random } = env;
    const crew = (options.workers?.count ?? 1) > 1 ? options.workers! : null;
    const table = crew ? SwarmTable.newShared(random, settings.table) : SwarmTable.local(random, settings.table);
    const counters = new TrackerCounters();
    const boardMemory = CounterBoard.memory(crew?.count ?? 1);
    const board = new CounterBoard(boardMemory);
    const startedMs = clock.nowMs();
    const historyMemory = HistoryRing.memory();
    const history = new HistoryRing(historyMemory);
    const { hasCatalogue } = settings;
    const status = new Status({ clock, table, board, row: 0, counters, history, startedMs, hasCatalogue });
    const connectionKey = ConnectionIds.newKey(random);
    const trackerId = newTrackerId(random);
    const pages = options.pages ?? [];
    let workers: Workers | null = null;
    const relaysMemory = relayMemory();
    const relays = new WebRelays(relaysMemory, (thread, batch) => workers?.relay(thread, batch));
    const hasStore = (options.swarmStore ?? null) !== null;
    const untoldMemory = hasStore ? UntoldCompletions.memory(crew?.count ?? 1, random, crew !== null) : null;
    const untold = untoldMemory === null ? null : new UntoldCompletions(untoldMemory, 0);
    const { stateKey, lock } = await holdState(env, options.stateKey ?? null);
    const places = hasStore ? await newPlace(env, stateKey) : NO_PLACES;
    const serving = new Serving(env, {
      settings,
      table,
      counters,
      status,
      ids: new ConnectionIds(connectionKey),
      trackerId,
      access: options.access ?? null,
      ledger: options.ledger ?? null,
      store: options.swarmStore ?? null,
      untold,
      places,
      hearsPlace: true,
      log: env.log,
      pages,
      others: options.others ?? null,
      thread: FIRST_THREAD,
      relays: crew === null ? null : relays,
      gzip: options.gzip ?? null,
    });
    const { pacing, mirror } = serving;
    const { meter = null } = options;
    const report = new ThreadReport({ board, row: 0, counters, pacing, mirror, meter });
    try {
      if (stateKey !== null) await loadState(env, table, stateKey, pacing.ageS());
      await mirror?.open();
      const addresses: Address[] = [];
      const isShared = crew !== null;
      if (isShared) await expectFree(env, options.listen, settings);
      for (const listen of options.listen) addresses.push(await serving.listen({ ...listen, isShared }));
      if (crew !== null && table.memory.shared !== null) {
        const listen = options.listen.map((each, i) => ({ ...each, isShared, port: addresses[i]!.port }));
        const common = { settings, pages, listen, connectionKey, trackerId, startedMs, places };
        const memory = {
          table: table.memory.shared,
          board: boardMemory,
          history: historyMemory,
          relays: relaysMemory,
          untold: untoldMemory,
        };
        const job = { ...memory, ...common };
        workers = newWorkers(env, {
          threads: crew.threads,
          table,
          job,
          ended: (row) => board.retire(row),
          hear: (batch) => serving.hear(batch),
          forget: (thread, row) => {
            relays.forget(thread);
            return untold?.forget(thread, row) ?? true;
          },
        });
        for (let row = 1; row < crew.count; row++) await workers.start(row);
      }
      const parts = { table, serving, workers, board, report, history, stateKey, lock, status };
      return new TrackerServer(env, parts, addresses);
    } catch (error) {
      await workers?.close();
      await serving.close();
      await lock?.release();
      throw error;
    }
  }

  private constructor(env: TrackerEnv, parts: Parts, addresses: readonly Address[]) {
    this.#env = env;
    this.#parts = parts;
    const { table, serving } = parts;
    const { mirror } = serving;
    this.#sweep = new Sweep(table, {
      isSilent: (place) => mirror?.isSilent(place) ?? false,
      lost: (infoHash, peerId) => mirror?.left(infoHash, peerId, mirror.place),
    });
    this.addresses = addresses;
    this.#stateAtMs = env.clock.nowMs() + STATE_EVERY_MS;
    this.#scope.add(() => parts.lock?.release());
    this.#scope.add(() => this.#save());
    this.#scope.add(() => parts.workers?.close());
    this.#scope.add(() => parts.serving.close());
    this.#scope.add(() => this.#tick?.cancel());
    this.#scope.add(() => this.#sweepTimer?.cancel());
    parts.report.gauges.sweptMs = env.clock.nowMs();
    parts.report.write(env.clock.nowMs());
    this.#recorder = new HistoryRecorder(
      { ring: parts.history, stats: () => this.stats(), wallMs: () => env.clock.wallMs() },
      env.clock.nowMs(),
    );
    this.#arm();
    this.#armSweep(1);
  }

  stats(): TrackerStats {
    return this.#parts.status.stats();
  }

  /**
   * What a swarm has now (of a v2 info hash the first 20 bytes); zeros where nobody is. Of swarms that trackers share it
   * is what this one knows, which it has brought up to date for the next time.
   */
  counts(infoHash: Uint8Array): SwarmCounts {
    const { table, serving } = this.#parts;
    // What is fetched is for the next who asks.
    if (serving.mirror?.isFresh(infoHash) === false) serving.mirror.wait(infoHash, NOBODY);
    const counts = new Counts();
    counts.read(table, table.find(infoHash));
    table.exit();
    return counts;
  }

  /** Stops listening, closes all connections, and saves the swarms where that was asked for. Idempotent. */
  close(): Promise<void> {
    return this.#scope.close();
  }

  #arm(): void {
    this.#tick = this.#env.clock.after(TICK_MS, () => {
      const nowMs = this.#env.clock.nowMs();
      const { serving, report } = this.#parts;
      serving.tick();
      report.write(nowMs);
      this.#recorder.tick(nowMs);
      if (nowMs >= this.#stateAtMs) {
        this.#stateAtMs = nowMs + STATE_EVERY_MS;
        void this.#save();
      }
      this.#arm();
    });
  }

  #armSweep(afterS: number): void {
    const { clock } = this.#env;
    this.#sweepTimer = clock.after(afterS * 1000, () => {
      const { board, report } = this.#parts;
      this.#armSweep(this.#sweep.run(clock.nowMs() / 1000, board.ageS));
      report.gauges.sweptMs = clock.nowMs();
    });
  }

  /** Never rejects: a tracker that cannot save goes on. */
  async #save(): Promise<void> {
    await this.#saving;
    const { stateKey, table } = this.#parts;
    if (stateKey === null) return;
    const { clock, store, log } = this.#env;
    this.#saving = saveSwarms({ store, clock, key: stateKey }, table).catch((error: unknown) => {
      log.write('warn', 'the swarms could not be saved', { error: describeError(error) });
    });
    await this.#saving;
  }
}

interface Parts extends HeldState {
  readonly table: SwarmTable;
  readonly serving: Serving;
  readonly workers: Workers | null;
  readonly board: CounterBoard;
  readonly report: ThreadReport;
  readonly history: HistoryRing;
  readonly status: Status;
}

function newWorkers(env: TrackerEnv, parts: Omit<WorkersOptions, 'log' | 'patience'>): Workers {
  const { clock, log } = env;
  return new Workers({ ...parts, log, patience: () => sleep(clock, WORKER_PATIENCE_MS) });
}

function newTrackerId(random: Random): Uint8Array {
  const id = random.below(2 ** 32).toString(16);
  return fromLatin1(id.padStart(8, '0'));
}

/**
 * Ports that threads share, other processes could share, too: a tracker that was started twice would be two, each for a part of
 * the clients. Rejects with LISTEN_FAILED.
 */
async function expectFree(
  { sockets }: TrackerEnv,
  listen: TrackerServerOptions['listen'],
  { udp, http, ws }: Settings,
): Promise<void> {
  for (const { ip, port } of listen) {
    if (port === 0) continue;
    if (udp) await (await sockets.serveUdp({ ip, port }, () => 0)).close();
    if (!http && !ws) continue;
    const listener = await sockets.listen({ ip, port }, (stream) => {
      stream.attach({ onChunk: () => undefined, onClose: () => undefined });
      stream.destroy();
    });
    await listener.close();
  }
}
