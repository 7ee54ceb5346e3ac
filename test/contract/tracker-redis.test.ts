// The contract of what a tracker does, with its swarms in a real Redis.

import { afterAll, beforeAll } from 'vitest';
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

for (const transport of [HTTP, UDP, REAL_WEB]) {
  trackerContract({
    name: `${transport.name}, IPv4, two on Node with a real Redis`,
    ...(!hasRedis && { missing: `no ${REDIS}` }),
    isSlow: true,
    family: 4,
    can: { ...transport.can, isSimulated: false },
    withTracker: (options, body) => trackers.with({ transport, family: 4, threads: 1, sharing: 2 }, options, body),
  });
}
