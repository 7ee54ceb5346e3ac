// A tracker inside this process: for `shoal tracker`, and for `shoal share` without --tracker.

import { type Address, formatIp, isUnspecified } from '../base/address.ts';
import { isShoalError } from '../base/errors.ts';
import type { Env } from '../ports/env.ts';
import type { Sockets } from '../ports/sockets.ts';
import { TrackerServer } from '../tracker/server/server.ts';
import type { ListenText } from './args.ts';
import { resolveListen } from './world.ts';

/** The port of trackers by custom (mission S0). */
export const DEFAULT_TRACKER_PORT = 6969;

/** `shoal tracker`: on the port named, or 6969, or an error. Its swarms outlive it in the state folder. */
export async function openLastingTracker(env: Env, listen: ListenText | undefined): Promise<TrackerServer> {
  const { ip, port } = await resolveListen(env.sockets, listen);
  const chosen = port ?? DEFAULT_TRACKER_PORT;
  // Trackers on several ports may share a state folder; one on any free port has no name to be known by later.
  return TrackerServer.open(env, {
    listen: [{ ip, port: chosen }],
    stateKey: chosen === 0 ? null : `tracker/${chosen}`,
  });
}

/** `shoal share`: beside the peers' port, on 6969 or, when that is taken, on any free port. */
export async function openOwnTracker(env: Env, ip: Uint8Array | null): Promise<TrackerServer> {
  try {
    return await TrackerServer.open(env, { listen: [{ ip, port: DEFAULT_TRACKER_PORT }] });
  } catch (error) {
    if (!isShoalError(error, 'LISTEN_FAILED')) throw error;
    return TrackerServer.open(env, { listen: [{ ip, port: 0 }] });
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
