// Where a worker thread of `shoal tracker` begins.

import { parentPort, workerData } from 'node:worker_threads';
import { createNodeClock } from '../platform/node/clock.ts';
import { createNodeGzip } from '../platform/node/gzip.ts';
import { createNodeRandom } from '../platform/node/random.ts';
import { createNodeSockets } from '../platform/node/sockets.ts';
import type { Clock } from '../ports/clock.ts';
import { runTrackerWorker, STOP_WORKER, type WorkerJob } from '../tracker/server/worker.ts';
import type { SiteGuest } from '../tracker/site/site-guest.ts';
import type { SiteShare } from '../tracker/site/site-protocol.ts';
import { createProcessMeter } from './process-meter.ts';
import { type TrackerThreadData, threadClock } from './tracker-threads.ts';

const { originMs, site, job } = workerData as TrackerThreadData & { job: WorkerJob };
const clock: Clock = threadClock(createNodeClock(), originMs);
const env = { clock, random: createNodeRandom(), sockets: createNodeSockets(clock) };
const port = parentPort!;
const guest = site === null ? null : await openGuest(site);
const own = {
  access: null,
  ledger: null,
  others: null,
  ...guest?.desk,
  meter: createProcessMeter(),
  gzip: createNodeGzip(),
};
const close = runTrackerWorker(env, job, (message) => port.postMessage(message), own);
port.on('message', (message) => {
  if (message === STOP_WORKER) void close.then((closing) => closing()).finally(end);
});

/** Loaded by the threads of a tracker that has a site only. */
async function openGuest(share: SiteShare): Promise<SiteGuest> {
  const module = await import('../tracker/site/site-guest.ts');
  return new module.SiteGuest(share, () => clock.nowMs());
}

function end(): void {
  guest?.close();
  port.close();
}
