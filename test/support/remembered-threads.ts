// Worker threads of a tracker, each of which a test can end.

import type { Thread, Threads } from '../../src/ports/threads.ts';

/** Threads as `real` starts them; `started` gets each. */
export function rememberThreads(real: Threads): { readonly threads: Threads; readonly started: readonly Thread[] } {
  const started: Thread[] = [];
  const threads: Threads = {
    start: (data, events) => {
      const thread = real.start(data, events);
      started.push(thread);
      return thread;
    },
  };
  return { threads, started };
}
