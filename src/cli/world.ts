// The real world for a command: its Env, its state folder, addresses by name. Loaded part by part, so that small commands start fast.

import { constants, statSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { Address } from '../base/address.ts';
import { ShoalError } from '../base/errors.ts';
import type { NodeContentEnv } from '../platform/node/content/content-env.ts';
import type { NodeEnv } from '../platform/node/env.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { errnoOf, fileError } from '../platform/node/system-errors.ts';
import type { Http } from '../ports/http.ts';
import type { Log } from '../ports/log.ts';
import type { ByteStream, Sockets } from '../ports/sockets.ts';
import type { HostPort, ListenText } from './args.ts';
import { logFromEnvironment } from './log.ts';

export async function loadHttp(): Promise<Http> {
  return (await import('../platform/node/net/http.ts')).createNodeHttp();
}

/** {@link stateFolder}, where a command cannot do without. FILE_IN_THE_WAY before anything else is begun. */
export function usableStateFolder(option: string | undefined): string {
  const folder = stateFolder(option);
  if (isUsable(folder)) return folder;
  throw new ShoalError('FILE_IN_THE_WAY', `"${folder}" is no folder: name another one with --state`);
}

/** It is a folder, or can perhaps be made. */
function isUsable(folder: string): boolean {
  try {
    return statSync(folder).isDirectory();
  } catch (error) {
    return errnoOf(error) !== 'ENOTDIR';
  }
}

/** `--state`, else `$XDG_STATE_HOME/shoal`, else `~/.local/state/shoal`. Not made yet. */
export function stateFolder(option: string | undefined): string {
  if (option !== undefined) return resolve(option);
  const base = process.env.XDG_STATE_HOME;
  // The XDG specification says to ignore relative paths.
  return join(base && isAbsolute(base) ? base : join(homedir(), '.local', 'state'), 'shoal');
}

/**
 * The absolute path of a folder that content can be put into, if need be a new one: what stands in its way is told
 * before a long wait for peers, not after it. FILE_IN_THE_WAY, READ_ONLY, PERMISSION.
 */
export async function usableFolder(path: string): Promise<string> {
  const folder = resolve(path);
  let above = folder;
  let found = await nodeFiles.info(above);
  while (found === null && above !== dirname(above)) {
    above = dirname(above);
    found = await nodeFiles.info(above);
  }
  if (found !== null && found.kind !== 'folder') {
    throw new ShoalError('FILE_IN_THE_WAY', `"${above}" is no folder: choose another one with -o`);
  }
  // Content that is complete may lie in a folder that cannot be written; a new folder must be made.
  if (above !== folder) {
    await access(above, constants.W_OK).catch((error: unknown) => {
      throw fileError(error, `make the folder "${folder}"`);
    });
  }
  return folder;
}

/** To be closed at the end. Nothing is written to the state folder before the store is used. */
export async function openWorld(state: string | undefined, log: Log = logFromEnvironment()): Promise<NodeEnv> {
  const { createNodeEnv } = await import('../platform/node/env.ts');
  return createNodeEnv({ stateFolder: stateFolder(state), log });
}

/** What making and verifying torrents takes of a world. */
export type ContentWorld = Pick<NodeContentEnv, 'clock' | 'hashes' | 'files' | 'pieceIo'>;

/** For those who hash content at once and talk to nobody: the threads start while the rest of the program loads. */
export async function openContentWorld(): Promise<NodeContentEnv> {
  const { createNodeContentEnv } = await import('../platform/node/content/content-env.ts');
  return createNodeContentEnv({ startNow: true });
}

/**
 * Where to listen as the session takes it: a host name becomes its first address. HOST_NOT_FOUND; LISTEN_FAILED where this
 * machine does not have the address, said before many ports of it are tried.
 */
export async function resolveListen(
  sockets: Sockets,
  listen: ListenText | undefined,
): Promise<{ ip: Uint8Array | null; port: number | null }> {
  if (!listen) return { ip: null, port: null };
  if (listen.host === null) return { ip: null, port: listen.port };
  const ips = await sockets.resolve(listen.host);
  if (!ips[0]) throw new ShoalError('HOST_NOT_FOUND', `'${listen.host}' has no address; give one of this machine's`);
  if (listen.port === null) await (await sockets.listen({ ip: ips[0], port: 0 }, refuse)).close();
  return { ip: ips[0], port: listen.port };
}

function refuse(stream: ByteStream): void {
  stream.attach({ onChunk: () => undefined, onClose: () => undefined });
  stream.destroy();
}

/** All addresses of all peers; a name that cannot be found is an error that says which. */
export async function resolvePeers(sockets: Sockets, peers: readonly HostPort[]): Promise<Address[]> {
  const each = peers.map(async ({ host, port }) => (await sockets.resolve(host)).map((ip) => new Address(ip, port)));
  return (await Promise.all(each)).flat();
}
