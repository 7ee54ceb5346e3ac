import { afterAll, beforeAll } from 'vitest';
import { CAN_REUSE_PORT } from '../../src/platform/node/net/shared-port.ts';
import { loadUdpBatch } from '../../src/platform/node/net/udp-batch.ts';
import { trackerContract } from './tracker.ts';
import { REAL_WEB } from './tracker-web.ts';
import { HTTP, NodeTrackers, UDP } from './tracker-worlds.ts';

let trackers: NodeTrackers;
beforeAll(async () => {
  trackers = await NodeTrackers.open();
});
afterAll(() => trackers.close());

// Several threads share a port on Node 22.12, or with the native module.
const threadCounts = CAN_REUSE_PORT || loadUdpBatch() !== null ? [1, 2] : [1];
for (const threads of threadCounts) {
  for (const family of [4, 6] as const) {
    for (const transport of [HTTP, UDP, REAL_WEB]) {
      trackerContract({
        name: `${transport.name}, IPv${family}, ${threads === 1 ? 'one thread' : 'two threads'} of Node`,
        family,
        can: { ...transport.can, isSimulated: false },
        withTracker: (options, body) => trackers.with({ transport, family, threads }, options, body),
      });
    }
  }
}
