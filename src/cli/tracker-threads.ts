// The threads of `shoal tracker --workers`, and the time they have in common: every thread of Node counts from its own start.

import { createNodeThreads } from '../platform/node/threads.ts';
import type { Clock } from '../ports/clock.ts';
import type { Threads } from '../ports/threads.ts';

/** What the threads get beside what the tracker tells them. */
export interface TrackerThreadData {
  /** When the first thread's clock showed 0, in milliseconds since 1970. */
  readonly originMs: number;
}

export function trackerThreads(): Threads {
  const here = import.meta.url;
  const module = new URL(here.endsWith('.ts') ? '../../dist/cli/tracker-worker.js' : './tracker-worker.js', here);
  const threads = createNodeThreads(module, 'shoal tracker');
  const originMs = performance.timeOrigin;
  return {
    start: (job, events) => threads.start({ originMs, job } satisfies TrackerThreadData & { job: unknown }, events),
  };
}

/** A clock of this thread that shows the first thread's time. */
export function threadClock(clock: Clock, originMs: number): Clock {
  const aheadMs = performance.timeOrigin - originMs;
  return {
    nowMs: () => clock.nowMs() + aheadMs,
    wallMs: () => clock.wallMs(),
    after: (delayMs, callback) => clock.after(delayMs, callback),
    defer: (callback) => clock.defer(callback),
  };
}
