// The contract of what a tracker does, with its swarms in a real Redis.

import { afterAll, beforeAll } from 'vitest';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { hasProgram, REDIS, RedisStage } from '../support/redis-stage.ts';
import { trackerContract } from './tracker.ts';
import { REAL_WEB } from './tracker-web.ts';
import { HTTP, NodeTrackers, UDP } from './tracker-worlds.ts';

const hasRedis = hasProgram(REDIS);
let redis: RedisStage;
let trackers: NodeTrackers;
beforeAll(async () => {
  if (!hasRedis) return;
  redis = await RedisStage.start();
  trackers = await NodeTrackers.open(redis.url);
});
afterAll(async () => {
  await trackers?.close();
  await redis?.close();
});

// Threads change nothing that IPv4 or IPv6 does not: the second time round there are two, where several can share a port, and
// the other family.
const threads = CAN_REUSE_PORT || loadUdpBatch() !== null ? 2 : 1;
for (const transport of [HTTP, UDP, REAL_WEB]) {
  for (const setting of [
    { family: 4, threads: 1 },
    { family: 6, threads },
  ] as const) {
    const first = setting.threads === 1 ? '' : ', the first of two threads';
    trackerContract({
      name: `${transport.name}, IPv${setting.family}, two on Node with a real Redis${first}`,
      ...(!hasRedis && { missing: `no ${REDIS}` }),
      isSlow: true,
      family: setting.family,
      can: { ...transport.can, isSimulated: false },
      withTracker: (options, body) => trackers.with({ transport, sharing: 2, ...setting }, options, body),
    });
  }
}
