import { trackerContract } from './tracker.ts';
import { WEB } from './tracker-web.ts';
import { HTTP, simTrackerWorld, UDP } from './tracker-worlds.ts';

for (const family of [4, 6] as const) {
  for (const transport of [HTTP, UDP, WEB]) trackerContract(simTrackerWorld(transport, family));
}
for (const transport of [HTTP, UDP, WEB]) trackerContract(simTrackerWorld(transport, 4, true));
