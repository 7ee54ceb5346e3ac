// The contract of every port, in the simulated world.

import { SimSwarmStore } from '../../src/platform/sim/index.ts';
import { clockContract } from './clock.ts';
import { filesContract } from './files.ts';
import { httpContract } from './http.ts';
import { manyFilesContract } from './many-files.ts';
import { pieceIoContract } from './piece-io.ts';
import { randomContract } from './random.ts';
import { makeSimWorlds } from './sim-world.ts';
import { socketsContract } from './sockets.ts';
import { storeContract } from './store.ts';
import { swarmStoreContract } from './swarm-store.ts';
import { udpServiceContract } from './udp-service.ts';

clockContract('simulated', makeSimWorlds(100));
randomContract('simulated', makeSimWorlds(200));
socketsContract('simulated', makeSimWorlds(300));
httpContract('simulated', makeSimWorlds(400));
filesContract('simulated', makeSimWorlds(500));
pieceIoContract('simulated', makeSimWorlds(600));
manyFilesContract('simulated', makeSimWorlds(900));
storeContract('simulated', makeSimWorlds(700));
udpServiceContract('simulated', makeSimWorlds(800));
swarmStoreContract('simulated', async () => {
  let nowMs = 1_000_000;
  const later = (_delayMs: number, callback: () => void): { cancel(): void } => {
    const timer = setImmediate(callback);
    return { cancel: () => clearImmediate(timer) };
  };
  const clock = {
    nowMs: () => nowMs++,
    wallMs: () => nowMs,
    after: later,
    defer: (callback: () => void) => void later(0, callback),
  };
  const pass = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  return { store: new SimSwarmStore({ clock }), pass, close: async () => undefined };
});
