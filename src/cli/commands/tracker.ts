// shoal tracker: runs a tracker until it is stopped.

import type { ListenText } from '../args.ts';
import { EXIT_DONE } from '../errors.ts';
import { logFromEnvironment } from '../log.ts';
import type { JsonOption } from '../options.ts';
import { note, print, printJson } from '../output.ts';
import { announceUrl, openLastingTracker } from '../own-tracker.ts';
import { watchSignals } from '../signals.ts';
import { openWorld } from '../world.ts';

export interface TrackerOptions extends JsonOption {
  readonly listen?: ListenText;
  readonly state?: string;
}

export async function run(options: TrackerOptions): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_DONE, word: () => '' });
  // Swarms that cannot be read or saved cost an interval of announces; whoever runs a tracker wants to know.
  const env = await openWorld(options.state, logFromEnvironment('warn'));
  const tracker = await openLastingTracker(env, options.listen);
  try {
    const http = tracker.addresses.map((address) => announceUrl(env.sockets, address, null));
    const urls = [...http, ...http.map((url) => url.replace(/^http/, 'udp'))];
    const listen = tracker.addresses.map((address) => address.key);
    if (options.json) printJson({ event: 'ready', listen, urls });
    else print(`tracker at ${urls.join(' and ')}; Ctrl-C ends it`);
    await stop.stopped;
    if (options.json) printJson({ event: 'stopped' });
    else note('stopped; peers that come back are known again within an interval');
  } finally {
    await tracker.close();
    await env.close();
  }
}
