// What a contract suite needs of a world: two machines, and a way to let time go by while a promise is waited for.

import { sleep } from '../../src/ports/clock.ts';
import type { Env } from '../../src/ports/env.ts';

export interface ContractHost {
  readonly env: Env;
  /** Where the other host reaches this one: what to listen on and to dial. */
  readonly ip: Uint8Array;
  /** An empty folder that the test may fill; the world takes it away. */
  readonly folder: string;
}

/** Two hosts that reach each other; in the real world both are this machine. */
export interface ContractWorld {
  readonly a: ContractHost;
  readonly b: ContractHost;
  /** Waits for `work`. In the real world just that; the simulated one delivers events until it settles. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Ends the world; throws where the test left something open and the world can tell. */
  close(): Promise<void>;
}

/** A fresh world for every test. */
export type MakeWorld = () => Promise<ContractWorld>;

/** Runs `body` in a fresh world and closes it afterwards. */
export async function inWorld(makeWorld: MakeWorld, body: (world: ContractWorld) => Promise<void>): Promise<void> {
  const world = await makeWorld();
  try {
    await world.run(body(world));
  } catch (error) {
    await world.close().catch(() => undefined);
    throw error;
  }
  await world.close();
}

/** Looks every 5 ms of the host's time; the test's own time limit ends what never comes true. */
export async function untilTrue(host: ContractHost, condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(host.env.clock, 5);
}
