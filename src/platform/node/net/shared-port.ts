// How several threads listen on one port: each has a socket of its own, and the system divides connections and datagrams
// (SO_REUSEPORT). Node can ask for that from 22.12 on; before, the optional native module makes the sockets.
//
// One descriptor that all threads use would do on Node 20 too, but whoever ends closes its number for all, and perhaps for
// a file that has got the number since.

import { getSystemErrorName } from 'node:util';
import { ShoalError } from '../../../base/errors.ts';
import type { ListenOptions } from '../../../ports/sockets.ts';
import { networkError } from '../system-errors.ts';
import type { UdpBatchModule } from './udp-batch.ts';

const [MAJOR = 0, MINOR = 0] = process.versions.node.split('.').map(Number);

/** Whether `reusePort` is known to this Node. */
export const CAN_REUSE_PORT: boolean = MAJOR > 22 || (MAJOR === 22 && MINOR >= 12);

/** What `listen` of net is told, for a port that is shared. Throws LISTEN_FAILED where that cannot be had. */
export function sharedListen(
  native: UdpBatchModule | null,
  host: string,
  ip: Uint8Array,
  options: ListenOptions,
): { host: string; port: number; reusePort: true } | { fd: number } {
  if (CAN_REUSE_PORT) return { host, port: options.port, reusePort: true };
  if (native === null) throw noSharing();
  return { fd: listenNatively(native, host, ip, options) };
}

/** The descriptor of a socket that listens. Throws LISTEN_FAILED. */
export function listenNatively(
  native: UdpBatchModule,
  host: string,
  ip: Uint8Array,
  { port, ip: asked, isShared }: ListenOptions,
): number {
  const fd = native.listen(ip, port, asked === null && ip.length === 16, isShared ?? false);
  if (fd >= 0) return fd;
  const code = getSystemErrorName(fd);
  const cause = Object.assign(new Error(`listen ${code}`), { code });
  throw networkError('LISTEN_FAILED', cause, `listen on ${host} port ${port}`);
}

export function noSharing(): ShoalError {
  return new ShoalError(
    'LISTEN_FAILED',
    'several threads cannot listen on one port here: it takes Node 22.12 or newer, or the native module (npm run build with a C compiler)',
  );
}
