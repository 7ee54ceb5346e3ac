// A tracker inside this process, for `shoal share` without --tracker; and how trackers are reached.

import { type Address, formatIp, isUnspecified } from '../base/address.ts';
import { isShoalError } from '../base/errors.ts';
import type { Env } from '../ports/env.ts';
import type { Sockets } from '../ports/sockets.ts';
import { TrackerServer } from '../tracker/server/server.ts';
import { DEFAULT_TRACKER_PORT } from './args.ts';
import { readWebPages } from './web-pages.ts';

/** `shoal share`: beside the peers' port, on 6969 or, when that is taken, on any free port. */
export async function openOwnTracker(env: Env, ip: Uint8Array | null): Promise<TrackerServer> {
  const pages = await readWebPages();
  try {
    return await TrackerServer.open(env, { listen: [{ ip, port: DEFAULT_TRACKER_PORT }], pages });
  } catch (error) {
    if (!isShoalError(error, 'LISTEN_FAILED')) throw error;
    return TrackerServer.open(env, { listen: [{ ip, port: 0 }], pages });
  }
}

/**
 * The URL that peers announce to. `host` is what the user named; else the concrete address, else this machine's first
 * address in a network, else loopback.
 */
export function announceUrl(sockets: Sockets, address: Address, host: string | null): string {
  const named = host ?? (isUnspecified(address.ip) ? ownHost(sockets) : address.host);
  return `http://${named.includes(':') ? `[${named}]` : named}:${address.port}/announce`;
}

function ownHost(sockets: Sockets): string {
  const networks = sockets.networks();
  const first = networks.find((network) => network.ip.length === 4) ?? networks[0];
  return first ? formatIp(first.ip) : '127.0.0.1';
}
