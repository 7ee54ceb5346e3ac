// Where a worker thread of `shoal tracker` begins.

import { parentPort, workerData } from 'node:worker_threads';
import { createNodeClock } from '../platform/node/clock.ts';
import { createNodeGzip } from '../platform/node/gzip.ts';
import { nodeHashes } from '../platform/node/hashes.ts';
import { createNodeSockets } from '../platform/node/net/sockets.ts';
import { createNodeRandom } from '../platform/node/random.ts';
import type { Clock } from '../ports/clock.ts';
import type { SwarmStore } from '../ports/swarm-store.ts';
import { runTrackerWorker, STOP_WORKER, type WorkerJob } from '../tracker/server/worker.ts';
import type { SiteGuest } from '../tracker/site/site-guest.ts';
import type { SiteShare } from '../tracker/site/site-protocol.ts';
import { createProcessMeter } from './process-meter.ts';
import { type TrackerThreadData, threadClock } from './tracker-threads.ts';

const { originMs, site, store, job } = workerData as TrackerThreadData & { job: WorkerJob };
const clock: Clock = threadClock(createNodeClock(), originMs);
const env = { clock, random: createNodeRandom(), sockets: createNodeSockets(clock), hashes: nodeHashes };
const port = parentPort!;
const guest = site === null ? null : await openGuest(site);
const own = {
  access: null,
  ledger: null,
  others: null,
  ...guest?.desk,
  meter: createProcessMeter(),
  gzip: createNodeGzip(),
  store: store === null ? null : await openStore(store),
};
const worker = runTrackerWorker(env, job, (message) => port.postMessage(message), own);
port.on('message', (message) => {
  if (message === STOP_WORKER) void worker.then((running) => running.close()).finally(end);
  else void worker.then((running) => running.hear(message));
});

/** Loaded by the threads of a tracker that has a site only. */
async function openGuest(share: SiteShare): Promise<SiteGuest> {
  const module = await import('../tracker/site/site-guest.ts');
  return new module.SiteGuest(share, () => clock.nowMs());
}

async function openStore(place: string): Promise<SwarmStore> {
  const module = await import('../platform/node/redis/redis-swarm-store.ts');
  return module.createRedisSwarmStore(place);
}

function end(): void {
  guest?.close();
  port.close();
}
