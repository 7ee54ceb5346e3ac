// An accepted connection whose user has paused it, while the other side keeps sending.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ByteStream, TlsKeys } from '../../../ports/sockets.ts';
import { createNodeClock } from '../clock.ts';
import { createNodeSockets } from './sockets.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
/** What libuv reads at once. */
const CHUNK_BYTES = 64 * 1024;
/** More than the system holds of a connection. */
const SENT_BYTES = 48 * 2 ** 20;
/** Turns of the event loop in which nothing is sent: nothing will be. */
const QUIET_TURNS = 200;

const { listen } = createNodeSockets(createNodeClock());

/** Null where there is no openssl to make a certificate with. */
function makeKeys(): TlsKeys | null {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const names = ['-subj', '/CN=localhost', '-days', '2', '-keyout', key, '-out', cert];
  try {
    const openssl = 'openssl';
    execFileSync(openssl, ['req', '-x509', '-nodes', ...curve, ...names], { stdio: 'ignore' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch {
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sends parts, each when the one before has left, until no more leave or `count` have. */
async function sendAll(client: net.Socket, part: Uint8Array, count: number): Promise<void> {
  let sent = 0;
  const next = (): void => {
    if (sent === count) return;
    client.write(part, () => {
      sent++;
      setImmediate(next);
    });
  };
  next();
  for (let quiet = 0, before = 0; quiet < QUIET_TURNS; quiet++) {
    await new Promise(setImmediate);
    if (sent !== before) quiet = 0;
    before = sent;
  }
}

interface Kind {
  readonly keys: TlsKeys | null;
  readonly isSecure: boolean;
}

function connectTo(port: number, isSecure: boolean): net.Socket {
  const where = { host: '127.0.0.1', port };
  const client = isSecure ? tls.connect({ ...where, rejectUnauthorized: false }) : net.connect(where);
  return client.on('error', () => undefined).setNoDelay(true);
}

/** Lengths of the chunks that the process holds of a connection which is paused, and is sent so much. */
async function heldChunks({ keys, isSecure }: Kind, part: Uint8Array, count: number): Promise<number[]> {
  const chunks: number[] = [];
  let isPaused = false;
  let onPaused!: (stream: ByteStream) => void;
  const paused = new Promise<ByteStream>((resolve) => {
    onPaused = resolve;
  });
  const listener = await listen({ ip: LOOPBACK, port: 0, tls: keys }, (stream) => {
    const onChunk = (chunk: Uint8Array): void => {
      chunks.push(chunk.length);
      if (isPaused) return;
      isPaused = true;
      stream.pause();
      onPaused(stream);
    };
    stream.attach({ onChunk, onClose: () => undefined });
  });
  const client = connectTo(listener.address.port, isSecure);
  client.write(Uint8Array.of(1));
  const stream = await paused;
  await sendAll(client, part, count);
  expect(chunks.splice(0)).toEqual([1]);
  stream.resume();
  // What the process holds comes now, before it reads on.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const held = [...chunks];
  stream.destroy();
  client.destroy();
  await listener.close();
  return held;
}

/** Bytes that reach who paused the connection when it was accepted, before and after it is resumed. */
async function heldFromTheStart({ keys, isSecure }: Kind, bytes: Uint8Array): Promise<[number, number]> {
  let received = 0;
  let onAccepted!: (stream: ByteStream) => void;
  const accepted = new Promise<ByteStream>((resolve) => {
    onAccepted = resolve;
  });
  let onReceived!: () => void;
  const all = new Promise<void>((resolve) => {
    onReceived = resolve;
  });
  const listener = await listen({ ip: LOOPBACK, port: 0, tls: keys }, (stream) => {
    const onChunk = (chunk: Uint8Array): void => {
      received += chunk.length;
      if (received === bytes.length) onReceived();
    };
    stream.attach({ onChunk, onClose: () => undefined });
    stream.pause();
    onAccepted(stream);
  });
  const client = connectTo(listener.address.port, isSecure);
  await sendAll(client, bytes, 1);
  const stream = await accepted;
  const before = received;
  stream.resume();
  await all;
  stream.destroy();
  client.destroy();
  await listener.close();
  return [before, received];
}

describe.each([
  ['TCP', false, false],
  ['TLS', true, true],
  ['TCP where TLS is served, too', true, false],
] as const)('a paused connection: %s', (_, hasKeys, isSecure) => {
  const keys = hasKeys ? makeKeys() : null;
  const isPossible = keys !== null || !hasKeys;

  it.skipIf(!isPossible)('leaves what comes to the system, all but a chunk', async () => {
    const part = new Uint8Array(CHUNK_BYTES);
    const held = await heldChunks({ keys, isSecure }, part, SENT_BYTES / part.length);
    expect(held.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(CHUNK_BYTES);
  });

  it.skipIf(!isPossible)('gives nothing before it is resumed, if it was paused at once', async () => {
    expect(await heldFromTheStart({ keys, isSecure }, Uint8Array.of(1, 2, 3))).toEqual([0, 3]);
  });

  it.skipIf(!isPossible)('does not keep many small chunks, each of which takes far more than its bytes', async () => {
    expect((await heldChunks({ keys, isSecure }, Uint8Array.of(2), 300)).length).toBeLessThanOrEqual(2);
  });
});
