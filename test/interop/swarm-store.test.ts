// The contract of shared swarms on real servers.

import { expect, it } from 'vitest';
import { isShoalError } from '../../src/base/errors.ts';
import { createRedisSwarmStore } from '../../src/platform/node/redis/redis-swarm-store.ts';
import type { SwarmLink } from '../../src/ports/swarm-store.ts';
import { swarmStoreContract } from '../contract/swarm-store.ts';
import { type RedisOptions, RedisStage } from '../support/redis-stage.ts';
import { interop, programsHere } from './harness/needs.ts';

const KEY = `shoal:{${'A'.repeat(20)}}`;

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

interop('a step that fails', [programsHere('redis-server')], () => {
  const request = { infoHash: new Uint8Array(20).fill(0x41), since: 0, completed: 0, keepMs: 60_000, isUrgent: false };
  const tell = (link: SwarmLink): Promise<unknown> =>
    link.exchange({ ...request, changes: Uint8Array.of(0, 0, 0, 10, 0, 0, 1, 0, 80) });

  it.each([
    ['a key of another type', ['SET', KEY, 'no sorted set'], true],
    ['memory that is used up', ['CONFIG', 'SET', 'maxmemory', '1'], false],
    ['a replica', ['REPLICAOF', '127.0.0.1', '1'], false],
  ] as const)('says whether it is for this swarm alone: %s', async (_why, command, isOfSwarm) => {
    const redis = await RedisStage.start();
    const link = await createRedisSwarmStore(redis.url).open(() => undefined);
    try {
      await tell(link);
      await redis.ask(['DEL', KEY]);
      await redis.ask(command);
      const error = await tell(link).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(isShoalError(error, 'SWARM_REFUSED'), String(error)).toBe(isOfSwarm);
    } finally {
      link.close();
      await redis.close();
    }
  });
});

interop('a command of many steps', [programsHere('redis-server')], () => {
  it('carries out all of them but the one that fails', async () => {
    const redis = await RedisStage.start();
    const link = await createRedisSwarmStore(redis.url).open(() => undefined);
    try {
      const hashes = [1, 2, 3].map((n) => new Uint8Array(20).fill(0x40 + n));
      await redis.ask(['SET', `shoal:{${'B'.repeat(20)}}`, 'no sorted set']);
      const request = { changes: new Uint8Array(0), since: 0, keepMs: 60_000, isUrgent: false };
      const settled = await Promise.allSettled(
        hashes.map((infoHash, n) => link.exchange({ ...request, infoHash, completed: n + 1 })),
      );
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(settled.map((one) => (one.status === 'fulfilled' ? one.value.completed : String(one.reason)))).toEqual([
        1,
        expect.stringContaining('WRONGTYPE'),
        3,
      ]);
      expect(settled[1]).toMatchObject({ reason: { code: 'SWARM_REFUSED' } });
    } finally {
      link.close();
      await redis.close();
    }
  });
});
