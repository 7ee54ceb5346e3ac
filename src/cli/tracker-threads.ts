// The threads of `shoal tracker --workers`, and the time they have in common: every thread of Node counts from its own start.

import { createNodeThreads } from '../platform/node/threads.ts';
import type { Clock } from '../ports/clock.ts';
import type { Threads } from '../ports/threads.ts';
import type { SiteShare } from '../tracker/site/site-protocol.ts';

/** What the threads get beside what the tracker tells them. */
export interface TrackerThreadData {
  /** When the first thread's clock showed 0, in milliseconds since 1970. */
  readonly originMs: number;
  /** Of a tracker with a catalogue or rules of access. */
  readonly site: SiteShare | null;
  /** URL of the store that the tracker shares its swarms by. */
  readonly store: string | null;
}

/** `share`: what each thread gets of the site; `store`: where that of the swarms is. */
export function trackerThreads(share: (() => SiteShare) | null = null, store: string | null = null): Threads {
  const here = import.meta.url;
  const module = new URL(here.endsWith('.ts') ? '../../dist/cli/tracker-worker.js' : './tracker-worker.js', here);
  const threads = createNodeThreads(module, 'shoal tracker');
  const originMs = performance.timeOrigin;
  return {
    start: (job, events) => {
      const site = share?.() ?? null;
      const data: TrackerThreadData & { job: unknown } = { originMs, site, store, job };
      return threads.start(data, events, site === null ? [] : [site.port]);
    },
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
