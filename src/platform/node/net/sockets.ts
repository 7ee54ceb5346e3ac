// The Sockets port on Node: listening, connecting, names and the networks of this machine.

import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { Address, formatIp, type LocalNetwork, parseIp } from '../../../base/address.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Clock } from '../../../ports/clock.ts';
import type {
  AnswerDatagram,
  ByteStream,
  ListenOptions,
  Sockets,
  StreamListener,
  UdpService,
} from '../../../ports/sockets.ts';
import { errnoOf, networkError } from '../system-errors.ts';
import { listenNatively, sharedListen } from './shared-port.ts';
import { ACCEPTED_HIGH_WATER_MARK, acceptedTcp, addressOf, connectTcp } from './tcp.ts';
import { acceptBatches, loadTcpBatch, type TcpBatchModule } from './tcp-batch.ts';
import { decrypting } from './tls.ts';
import { bindUdpSocket } from './udp.ts';
import { loadUdpBatch, serveUdpBatches, type UdpBatchModule } from './udp-batch.ts';
import { serveUdpSingly } from './udp-service.ts';

/** Connections that wait to be accepted: a swarm that finds us at once; the system may cap it lower. */
const BACKLOG = 1024;

/** undefined: nobody has looked for it yet. */
let udpBatch: UdpBatchModule | null | undefined;
let tcpBatch: TcpBatchModule | null | undefined;

/** Each use touches only what it names; nothing is opened before. */
export function createNodeSockets(clock: Clock): Sockets {
  return {
    listen: (options, accept) => listen(clock, options, accept),
    connect: (to, options = {}) => connectTcp(clock, to, options),
    bindUdp: bindUdpSocket,
    serveUdp,
    resolve: (host, options) => resolve(host, options?.signal),
    networks,
  };
}

async function listen(
  clock: Clock,
  options: ListenOptions,
  accept: (stream: ByteStream) => void,
): Promise<StreamListener> {
  if (options.ip !== null) return listenAt(clock, formatIp(options.ip), options, accept);
  try {
    return await listenAt(clock, '::', options, accept);
  } catch (error) {
    const errno = errnoOf((error as Error).cause);
    if (errno !== 'EAFNOSUPPORT' && errno !== 'EADDRNOTAVAIL') throw error;
    return listenAt(clock, '0.0.0.0', options, accept);
  }
}

function listenAt(
  clock: Clock,
  host: string,
  options: ListenOptions,
  accept: (stream: ByteStream) => void,
): Promise<StreamListener> {
  const brief = options.isBrief && !options.tls ? listenBriefly(clock, host, options, accept) : null;
  return brief === null ? listenByNet(clock, host, options, accept) : Promise.resolve(brief);
}

/** By the native modules; null where they are not there. Throws LISTEN_FAILED. */
function listenBriefly(
  clock: Clock,
  host: string,
  options: ListenOptions,
  accept: (stream: ByteStream) => void,
): StreamListener | null {
  const udp = udpModule();
  if (tcpBatch === undefined) tcpBatch = loadTcpBatch();
  if (udp === null || tcpBatch === null) return null;
  return acceptBatches(tcpBatch, clock, listenNatively(udp, host, parseIp(host)!, options), accept);
}

function listenByNet(
  clock: Clock,
  host: string,
  options: ListenOptions,
  accept: (stream: ByteStream) => void,
): Promise<StreamListener> {
  const { port, tls, isShared } = options;
  const settings = { allowHalfOpen: true, noDelay: true, highWaterMark: ACCEPTED_HIGH_WATER_MARK };
  const onSocket = (socket: net.Socket): void => {
    const stream = acceptedTcp(clock, socket);
    if (stream) accept(stream);
  };
  const server = net.createServer(settings, tls ? decrypting(tls, onSocket) : onSocket);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(networkError('LISTEN_FAILED', error, `listen on ${host} port ${port}`)));
    const where = isShared
      ? sharedListen(udpModule(), host, parseIp(host)!, options)
      : { host, port, backlog: BACKLOG, exclusive: true };
    server.listen(where, () => {
      server.removeAllListeners('error');
      // Accepting can fail for a moment (too many open files); the remote tries again.
      server.on('error', () => undefined);
      const bound = server.address() as net.AddressInfo;
      resolve({ address: addressOf(bound.address, bound.port)!, close: () => stopAccepting(server) });
    });
  });
}

/** The port is free at once; Node's own callback waits for the last accepted connection. */
function stopAccepting(server: net.Server): Promise<void> {
  if (server.listening) server.close();
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function serveUdp(options: ListenOptions, answer: AnswerDatagram): Promise<UdpService> {
  const native = udpModule();
  return native === null ? serveUdpSingly(options, answer) : serveUdpBatches(native, options, answer);
}

function udpModule(): UdpBatchModule | null {
  if (udpBatch === undefined) udpBatch = loadUdpBatch();
  return udpBatch;
}

async function resolve(host: string, signal?: AbortSignal): Promise<readonly Uint8Array[]> {
  signal?.throwIfAborted();
  const literal = parseIp(host);
  if (literal) return [literal];
  const found = await untilAborted(lookup(host, { all: true }), signal).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw networkError('HOST_NOT_FOUND', error, `find the host "${host}"`);
  });
  const ips: Uint8Array[] = [];
  for (const { address } of found) {
    const ip = addressOf(address, 0)?.ip;
    if (ip && !ips.some((known) => formatIp(known) === formatIp(ip))) ips.push(ip);
  }
  if (ips.length === 0) throw new ShoalError('HOST_NOT_FOUND', `cannot find the host "${host}": it has no address`);
  return ips.sort((a, b) => a.length - b.length);
}

function untilAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function networks(): readonly LocalNetwork[] {
  const out: LocalNetwork[] = [];
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { internal, cidr } of addresses ?? []) {
      if (internal || cidr === null) continue;
      const [text = '', bits = ''] = cidr.split('/');
      const address = Address.from(text, 0);
      if (address) out.push({ ip: address.ip, prefix: Number(bits) });
    }
  }
  return out;
}
