// Makes simulated worlds for contract suites and tests of the simulator.

import { createHash } from 'node:crypto';
import { SimWorld, type WorldOptions } from '../../src/platform/sim/index.ts';
import type { Hashes } from '../../src/ports/hashes.ts';
import type { MakeWorld } from './world.ts';

const digest = (kind: string, bytes: Uint8Array): Uint8Array => new Uint8Array(createHash(kind).update(bytes).digest());

export const realHashes: Hashes = {
  sha1: (bytes) => digest('sha1', bytes),
  sha256: (bytes) => digest('sha256', bytes),
};

/** One macrotask of Node. */
export const nodeTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function newSimWorld(options: Partial<WorldOptions> = {}): SimWorld {
  return new SimWorld({ seed: 1, hashes: realHashes, turn: nodeTurn, ...options });
}

/** Each world has the next seed, so that a suite sees several. */
export function makeSimWorlds(firstSeed: number): MakeWorld {
  let seed = firstSeed;
  return async () => {
    const world = newSimWorld({ seed: seed++ });
    const [a, b] = [world.addHost({ name: 'a' }), world.addHost({ name: 'b' })];
    for (const host of [a, b]) await world.run(host.env.files.makeFolder('/test'));
    const folder = '/test';
    return {
      a: { env: a.env, ip: a.ip, folder },
      b: { env: b.env, ip: b.ip, folder },
      run: (work) => world.run(work),
      close: async () => {
        const leaks = world.leaks();
        if (leaks.length > 0) throw new Error(`seed ${world.seed}: left open: ${leaks.join('; ')}`);
      },
    };
  };
}
