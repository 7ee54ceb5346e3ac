import { trackerContract } from './tracker.ts';
import { HTTP, simTrackerWorld, UDP } from './tracker-worlds.ts';

for (const family of [4, 6] as const) {
  for (const transport of [HTTP, UDP]) trackerContract(simTrackerWorld(transport, family));
}
