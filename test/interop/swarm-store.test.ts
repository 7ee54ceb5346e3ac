// The contract of shared swarms on real servers.

import { createRedisSwarmStore } from '../../src/platform/node/redis-swarm-store.ts';
import { swarmStoreContract } from '../contract/swarm-store.ts';
import { type RedisOptions, RedisStage } from '../support/redis-stage.ts';
import { interop, programsHere } from './harness/needs.ts';

function on(title: string, options: RedisOptions): void {
  interop(title, [programsHere(options.program ?? 'redis-server')], () => {
    swarmStoreContract(title, async () => {
      const redis = await RedisStage.start(options);
      return {
        store: createRedisSwarmStore(redis.url),
        pass: (ms) => redis.pass(ms),
        close: () => redis.close(),
      };
    });
  });
}

on('redis-server', {});
on('redis-server as a cluster', { isCluster: true });
on('valkey-server', { program: 'valkey-server' });
