// The simulated world, for tests and experiments.

export type { DiskAction, DiskSettings, SimDisk } from './disk.ts';
export type { DiskHands } from './disk-hands.ts';
export type { HostOptions, SimHost } from './host.ts';
export type { RouteSettings } from './link.ts';
export { SeededRandom } from './random.ts';
export { SimSwarmStore } from './swarm-store.ts';
export type { TraceKind, TraceWatcher } from './trace.ts';
export { SimWorld, type WorldOptions } from './world.ts';
