// Entry of the site's thread: it has the database and answers the API, so that announces never wait for either.

import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { describeError, isShoalError, ShoalError } from '../../base/errors.ts';
import { type App, makeApp } from './app.ts';
import { Gatekeeper } from './gatekeeper.ts';
import type { SiteWorld } from './names.ts';
import { Site, type SwarmCounts } from './site.ts';
import type { FromSite, SiteRequest, SiteResponse, SiteThreadOptions, ToSite } from './site-protocol.ts';

/** Changes of other processes are seen, and totals are written, so often. */
const TICK_MS = 1000;
const TOTALS_EVERY_TICKS = 5;
/** Searches that sort by seeds see counts at most so old, and as long as counting takes. */
const COUNT_EVERY_TICKS = 30;

const port = parentPort!;
const options = workerData as SiteThreadOptions;
const world: SiteWorld = { nowMs: () => Date.now(), randomBytes: (length) => new Uint8Array(randomBytes(length)) };
const closing = new AbortController();
const asked = new Map<number, (counts: Uint32Array) => void>();
let nextAsked = 0;

try {
  const site = await Site.open(options.databasePath, world, (memory) => say({ kind: 'memory', memory }));
  serve(site);
} catch (error) {
  const known = isShoalError(error);
  say({ kind: 'failed', code: known ? error.code : 'INTERNAL', message: describeError(error) });
  port.close();
}

function serve(site: Site): void {
  const { mode, publicUrl, maxUploadBytes } = options;
  const gatekeeper = new Gatekeeper(site, mode, world);
  const app = makeApp({ site, gatekeeper, mode, publicUrl, maxUploadBytes, countSwarms }, (error) => {
    log('a request failed inside', error);
  });
  const ticks = setInterval(tickOf(site), TICK_MS);
  port.on('message', (message: ToSite) => {
    if (message.kind === 'request') void answer(app, message.id, message.request);
    else if (message.kind === 'ledger') site.totals.add(message.batch);
    else if (message.kind === 'counts') {
      asked.get(message.id)?.(message.counts);
      asked.delete(message.id);
    } else {
      clearInterval(ticks);
      closing.abort();
      attempt('close', () => site.close());
      port.close();
    }
  });
  say({ kind: 'ready', memory: site.accessMemory });
}

/** What is due; a fault (the disk is full) is told, and tried again. */
function tickOf(site: Site): () => void {
  let ticks = 0;
  let counting = false;
  return () => {
    ticks++;
    attempt('follow changes', () => site.followOthers());
    if (ticks % TOTALS_EVERY_TICKS === 0) attempt('write totals', () => site.writeTotals());
    if (ticks % COUNT_EVERY_TICKS !== 1 || counting) return;
    counting = true;
    site
      .countSwarms(countSwarms, closing.signal)
      .catch((error: unknown) => log('swarms could not be counted', describeError(error)))
      .finally(() => {
        counting = false;
      });
  };
}

function attempt(what: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    log(`the site could not ${what}`, describeError(error));
  }
}

async function answer(app: App, id: number, request: SiteRequest): Promise<void> {
  const { method, url, headers, address } = request;
  const body = request.body as Uint8Array<ArrayBuffer> | null;
  const made = new Request(url, { method, headers: headers.map(([name, value]) => [name, value]), body });
  const response = await app.fetch(made, { address, isOwner: false });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const told: SiteResponse = { status: response.status, headers: [...response.headers], body: bytes };
  say({ kind: 'response', id, response: told }, [bytes.buffer]);
}

/** Asks the tracker's thread. */
function countSwarms(hashes: readonly Uint8Array[]): Promise<SwarmCounts[]> {
  if (hashes.length === 0) return Promise.resolve([]);
  const packed = new Uint8Array(20 * hashes.length);
  hashes.forEach((hash, i) => void packed.set(hash, 20 * i));
  const id = nextAsked++;
  return new Promise((resolve, reject) => {
    asked.set(id, (counts) => {
      if (counts.length === 0) reject(new ShoalError('TRACKER_FAILED', 'the swarms cannot be counted now'));
      else resolve(hashes.map((_, i) => ({ seeds: counts[2 * i] ?? 0, leeches: counts[2 * i + 1] ?? 0 })));
    });
    say({ kind: 'count', id, hashes: packed });
  });
}

function log(message: string, error: string): void {
  say({ kind: 'log', level: 'error', message, error });
}

function say(message: FromSite, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, [...transfer]);
}
