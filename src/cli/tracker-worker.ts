// Where a worker thread of `shoal tracker` begins.

import { parentPort, workerData } from 'node:worker_threads';
import { createNodeClock } from '../platform/node/clock.ts';
import { createNodeRandom } from '../platform/node/random.ts';
import { createNodeSockets } from '../platform/node/sockets.ts';
import type { Clock } from '../ports/clock.ts';
import { runTrackerWorker, STOP_WORKER, type WorkerJob } from '../tracker/server/worker.ts';
import { createProcessMeter } from './process-meter.ts';
import { type TrackerThreadData, threadClock } from './tracker-threads.ts';

const { originMs, job } = workerData as TrackerThreadData & { job: WorkerJob };
const clock: Clock = threadClock(createNodeClock(), originMs);
const env = { clock, random: createNodeRandom(), sockets: createNodeSockets(clock) };
const port = parentPort!;
const close = runTrackerWorker(env, job, (message) => port.postMessage(message), createProcessMeter());
port.on('message', (message) => {
  if (message === STOP_WORKER) void close.then((closing) => closing()).finally(() => port.close());
});
