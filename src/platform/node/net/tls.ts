// TLS and plain connections on one port: the first byte of a connection tells which it is.

import type net from 'node:net';
import tls from 'node:tls';
import { ShoalError } from '../../../base/errors.ts';
import type { TlsKeys } from '../../../ports/sockets.ts';
import { ACCEPTED_HIGH_WATER_MARK } from './tcp.ts';

/** The first byte of every TLS handshake record; no method of HTTP begins with it. */
const HANDSHAKE = 0x16;
/** For the first byte, and for the handshake: whoever is slower is no client. */
const PATIENCE_MS = 10_000;

/**
 * What to do with an accepted socket so that `onSocket` gets one of plain bytes, be it decrypted or as it came.
 * Throws LISTEN_FAILED where the certificate or the key cannot be used.
 */
export function decrypting(keys: TlsKeys, onSocket: (socket: net.Socket) => void): (socket: net.Socket) => void {
  const secureContext = contextOf(keys);
  return (socket) => {
    const giveUp = (): void => void socket.destroy();
    const timer = setTimeout(giveUp, PATIENCE_MS);
    const take = (taken: net.Socket): void => {
      clearTimeout(timer);
      for (const event of ['end', 'error']) socket.removeListener(event, giveUp);
      onSocket(taken);
    };
    socket.on('end', giveUp).on('error', giveUp);
    socket.once('close', () => clearTimeout(timer));
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      if (chunk[0] === HANDSHAKE) secure(socket, secureContext, giveUp, take);
      else {
        // Before it is handed over: it takes effect in the next turn only, and who gets the socket may want it paused.
        socket.resume();
        take(socket);
      }
    });
  };
}

function secure(
  socket: net.Socket,
  context: tls.SecureContext,
  giveUp: () => void,
  take: (s: net.Socket) => void,
): void {
  const options = { isServer: true, secureContext: context, highWaterMark: ACCEPTED_HIGH_WATER_MARK };
  const secured = new tls.TLSSocket(socket, options);
  secured.on('error', giveUp);
  secured.once('secure', () => {
    secured.removeListener('error', giveUp);
    take(secured);
  });
}

function contextOf(keys: TlsKeys): tls.SecureContext {
  try {
    return tls.createSecureContext({ cert: keys.cert, key: keys.key });
  } catch (error) {
    throw new ShoalError('LISTEN_FAILED', `the certificate or its key cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
