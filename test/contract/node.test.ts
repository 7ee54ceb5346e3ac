// The contract suites on the real world: loopback, a folder for temporary files, real threads.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { createNodeEnv, type NodeEnv } from '../../src/platform/node/env.ts';
import { loadTcpBatch } from '../../src/platform/node/net/tcp-batch.ts';
import { loadUdpBatch, serveUdpBatches } from '../../src/platform/node/net/udp-batch.ts';
import { serveUdpSingly } from '../../src/platform/node/net/udp-service.ts';
import { clockContract } from './clock.ts';
import { filesContract } from './files.ts';
import { hashesContract } from './hashes.ts';
import { httpContract } from './http.ts';
import { manyFilesContract } from './many-files.ts';
import { pieceIoContract } from './piece-io.ts';
import { randomContract } from './random.ts';
import { socketsContract } from './sockets.ts';
import { storeContract } from './store.ts';
import { udpServiceContract } from './udp-service.ts';
import type { ContractHost, ContractWorld } from './world.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

async function makeNodeWorld(createEnv = createNodeEnv): Promise<ContractWorld> {
  const [a, b] = [await makeHost(createEnv), await makeHost(createEnv)];
  return {
    a,
    b,
    run: (work) => work,
    close: async () => {
      for (const host of [a, b]) {
        await host.env.close();
        await rm(host.base, { recursive: true });
      }
    },
  };
}

async function makeHost(createEnv: typeof createNodeEnv): Promise<ContractHost & { env: NodeEnv; base: string }> {
  const base = await mkdtemp(join(tmpdir(), 'shoal-contract-'));
  const folder = await mkdtemp(join(base, 'folder-'));
  return { env: createEnv({ stateFolder: join(base, 'state') }), ip: LOOPBACK, folder, base };
}

/** The same world of modules that found no native ones. */
async function makePlainWorld(): Promise<ContractWorld> {
  return makeNodeWorld((await import('../../src/platform/node/env.ts')).createNodeEnv);
}

/** The same world, whose listeners expect many short connections. */
function briefly(world: ContractWorld): ContractWorld {
  const change = (host: ContractHost): ContractHost => {
    const { sockets } = host.env;
    const listen: typeof sockets.listen = (options, accept) => sockets.listen({ ...options, isBrief: true }, accept);
    return { ...host, env: { ...host.env, sockets: { ...sockets, listen } } };
  };
  return { ...world, a: change(world.a), b: change(world.b) };
}

pieceIoContract('node', () => makeNodeWorld());
manyFilesContract('node', () => makeNodeWorld());
describe('without the native modules', () => {
  beforeAll(() => {
    vi.stubEnv('SHOAL_NATIVE', '0');
    vi.resetModules();
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });
  pieceIoContract('node', makePlainWorld);
  manyFilesContract('node', makePlainWorld);
});
filesContract('node', () => makeNodeWorld());
storeContract('node', () => makeNodeWorld());
hashesContract('node', () => makeNodeWorld());
clockContract('node', () => makeNodeWorld());
randomContract('node', () => makeNodeWorld());
socketsContract('node', () => makeNodeWorld());
udpServiceContract(
  'node, one by one',
  () => makeNodeWorld(),
  ({ ip }, port, answer) => serveUdpSingly({ ip, port }, answer),
);
const udpBatch = loadUdpBatch();
describe.skipIf(udpBatch === null || loadTcpBatch() === null)('with the native modules', () => {
  udpServiceContract(
    'node, in batches',
    () => makeNodeWorld(),
    async ({ ip }, port, answer) => serveUdpBatches(udpBatch!, { ip, port }, answer),
  );
  socketsContract('node, brief connections', async () => briefly(await makeNodeWorld()));
});
httpContract('node', () => makeNodeWorld());
