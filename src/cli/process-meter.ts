// What this process costs, for the tracker's numbers.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProcessMeter } from '../tracker/server/status/process-meter.ts';

/** The loop is looked at so often: a delay below this is hardly seen, and 50 looks a second cost nothing. */
const RESOLUTION_MS = 20;

/** Of the thread that calls it; measures until the thread ends. */
export function createProcessMeter(): ProcessMeter {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return {
    rssBytes: () => process.memoryUsage.rss(),
    heapBytes: () => process.memoryUsage().heapUsed,
    cpuS() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    takeLoopDelayP99Ms() {
      // What is recorded is the time between two looks.
      const delayMs = delay.count === 0 ? 0 : delay.percentile(99) / 1e6 - RESOLUTION_MS;
      delay.reset();
      return Math.max(0, delayMs);
    },
  };
}
