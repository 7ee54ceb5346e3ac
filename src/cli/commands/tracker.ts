// shoal tracker: runs a tracker until it is stopped.

import type { Command } from 'commander';
import type { Address } from '../../base/address.ts';
import { createNodeGzip } from '../../platform/node/gzip.ts';
import type { Env } from '../../ports/env.ts';
import type { LogFields } from '../../ports/log.ts';
import { TrackerServer } from '../../tracker/server/server.ts';
import { type Catalogue, openCatalogue } from '../catalogue.ts';
import { EXIT_DONE } from '../errors.ts';
import { note, print, printJson } from '../output.ts';
import { announceUrl } from '../own-tracker.ts';
import { createProcessMeter } from '../process-meter.ts';
import { watchSignals } from '../signals.ts';
import type { CatalogueOptions } from '../site-options.ts';
import { type LogOptions, openTrackerLog } from '../tracker-log.ts';
import { serverOptions, type TrackerOptions } from '../tracker-options.ts';
import { readWebPages } from '../web-pages.ts';
import { openWorld } from '../world.ts';

export async function run(options: TrackerOptions & CatalogueOptions & LogOptions, command: Command): Promise<void> {
  if (options.printConfig) {
    await printConfig(options, command);
    return;
  }
  // Swarms that cannot be read or saved cost an interval of announces; whoever runs a tracker wants to know.
  const { log, reopen, isJson, close } = await openTrackerLog(options);
  const stop = watchSignals({ exitCode: () => EXIT_DONE, word: () => '', onHangup: reopen });
  const env = await openWorld(options.state, log);
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
      log.write('info', 'the tracker serves', { listen: listen.join(' '), workers: options.workers ?? 1 });
      await stop.stopped;
      if (options.json) printJson({ event: 'stopped' });
      else if (!isJson) note('stopped; peers that come back are known again within an interval');
    } finally {
      if (watch !== null) clearInterval(watch);
      await tracker.close();
      log.write('info', 'the tracker has ended', endOf(tracker));
    }
  } finally {
    await catalogue?.close();
    await env.close();
    await close();
  }
}

/** What of the settings can be wrong beside their form is found, too. */
async function printConfig(options: TrackerOptions, command: Command): Promise<void> {
  const env = await openWorld(options.state);
  try {
    await serverOptions(env.sockets, options, null);
  } finally {
    await env.close();
  }
  const { configText, printedSettings } = await import('../config-text.ts');
  if (options.json) printJson(printedSettings(command));
  else print(configText(command));
}

/** HTTP first. */
function urlsOf(env: Env, options: TrackerOptions, addresses: readonly Address[]): string[] {
  const http = addresses.map((address) => announceUrl(env.sockets, address, null));
  const as = (scheme: string): string[] => http.map((url) => url.replace(/^http/, scheme));
  return [
    ...(options.http && options.tlsCert !== undefined ? as('https') : []),
    ...(options.http ? http : []),
    ...(options.udp ? as('udp') : []),
    ...(options.ws && options.tlsCert !== undefined ? as('wss') : []),
    ...(options.ws ? as('ws') : []),
  ];
}

/** What it has done, for the log. */
function endOf(tracker: TrackerServer): LogFields {
  const { uptimeS, swarms, peers, http, udp, ws } = tracker.stats();
  return { uptimeS, torrents: swarms, peers, announces: http.announces + udp.announces + ws.announces };
}

function tell(tracker: TrackerServer): void {
  printJson({ event: 'status', ...tracker.stats() });
}
