// shoal tracker: runs a tracker until it is stopped.

import type { Address } from '../../base/address.ts';
import { createNodeGzip } from '../../platform/node/gzip.ts';
import type { Env } from '../../ports/env.ts';
import { TrackerServer } from '../../tracker/server/server.ts';
import { type Catalogue, openCatalogue } from '../catalogue.ts';
import { EXIT_DONE } from '../errors.ts';
import { logFromEnvironment } from '../log.ts';
import { note, print, printJson } from '../output.ts';
import { announceUrl } from '../own-tracker.ts';
import { createProcessMeter } from '../process-meter.ts';
import { watchSignals } from '../signals.ts';
import type { CatalogueOptions } from '../site-options.ts';
import { serverOptions, type TrackerOptions } from '../tracker-options.ts';
import { readWebPages } from '../web-pages.ts';
import { openWorld } from '../world.ts';

export async function run(options: TrackerOptions & CatalogueOptions): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_DONE, word: () => '' });
  // Swarms that cannot be read or saved cost an interval of announces; whoever runs a tracker wants to know.
  const env = await openWorld(options.state, logFromEnvironment('warn'));
  let catalogue: Catalogue | null = null;
  try {
    catalogue = await openCatalogue(env, options);
    const serving = {
      ...(await serverOptions(env.sockets, options, catalogue.share)),
      ...catalogue.server,
      meter: createProcessMeter(),
      pages: options.http ? await readWebPages() : [],
      gzip: createNodeGzip(),
    };
    const tracker = await TrackerServer.open(env, serving);
    catalogue.attach(tracker);
    const watch =
      options.json && options.status !== undefined ? setInterval(tell, options.status * 1000, tracker) : null;
    try {
      const urls = urlsOf(env, options, tracker.addresses);
      const listen = tracker.addresses.map((address) => address.key);
      if (options.json) printJson({ event: 'ready', listen, urls });
      else print(`tracker at ${urls.join(' and ')}; Ctrl-C ends it`);
      await stop.stopped;
      if (options.json) printJson({ event: 'stopped' });
      else note('stopped; peers that come back are known again within an interval');
    } finally {
      if (watch !== null) clearInterval(watch);
      await tracker.close();
    }
  } finally {
    await catalogue?.close();
    await env.close();
  }
}

/** HTTP first. */
function urlsOf(env: Env, options: TrackerOptions, addresses: readonly Address[]): string[] {
  const http = addresses.map((address) => announceUrl(env.sockets, address, null));
  const as = (scheme: string): string[] => http.map((url) => url.replace(/^http/, scheme));
  return [
    ...(options.http && options.tlsCert !== undefined ? as('https') : []),
    ...(options.http ? http : []),
    ...(options.udp ? as('udp') : []),
  ];
}

function tell(tracker: TrackerServer): void {
  printJson({ event: 'status', ...tracker.stats() });
}
