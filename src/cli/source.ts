// FILE, MAGNET or URL as people give it -> what it holds, checked.

import { ShoalError } from '../base/errors.ts';
import { asDict, decode } from '../bencode/decode.ts';
import { buildMetainfo } from '../metainfo/build.ts';
import { MAX_METAINFO_BYTES, MAX_METAINFO_ITEMS } from '../metainfo/limits.ts';
import { parseMagnet } from '../metainfo/magnet.ts';
import { mtorrentToMetainfo, parseMtorrent } from '../metainfo/mtorrent.ts';
import { parseMetainfo } from '../metainfo/parse.ts';
import type { Magnet, Metainfo } from '../metainfo/types.ts';
import { nodeFiles } from '../platform/node/files.ts';
import { nodeHashes } from '../platform/node/hashes.ts';
import type { Http } from '../ports/http.ts';

/** A torrent file of either format. */
export interface FileSource {
  readonly kind: 'torrent' | 'mtorrent';
  readonly metainfo: Metainfo;
  /** The `.torrent` file; for a `.mtorrent` the one that says the same. */
  readonly bytes: Uint8Array;
}

export interface MagnetSource {
  readonly kind: 'magnet';
  readonly magnet: Magnet;
  /** The link as it was given. */
  readonly text: string;
}

export type Source = FileSource | MagnetSource;

export interface FetchOptions {
  /** Loaded when a URL is given, not before. */
  readonly http: () => Promise<Http>;
  /** The own address to leave from. */
  readonly from?: Uint8Array | null;
  readonly signal?: AbortSignal;
}

/** A slow server is given this long for a torrent file. */
const FETCH_TIMEOUT_MS = 30_000;

/** Reads any of the three; a URL may lead to a torrent file only. Errors: FILE_NOT_FOUND, METAINFO_INVALID, HTTP_FAILED … */
export async function readSource(text: string, options: FetchOptions): Promise<Source> {
  if (/^magnet:/i.test(text)) return { kind: 'magnet', magnet: parseMagnet(text), text };
  if (/^https?:\/\//i.test(text)) return decodeFile(await fetchFile(text, options), text);
  return readFileSource(text);
}

/** A torrent file on this machine; `-` is stdin. */
export async function readFileSource(path: string): Promise<FileSource> {
  if (/^(magnet:|https?:\/\/)/i.test(path)) {
    throw new ShoalError('USAGE', `'${path}' is a link; this command needs a torrent file`);
  }
  return decodeFile(path === '-' ? await readStdin() : await readFile(path), path);
}

async function readFile(path: string): Promise<Uint8Array> {
  if ((await nodeFiles.info(path))?.kind === 'folder') {
    throw new ShoalError('FILE_IN_THE_WAY', `"${path}" is a folder; give a .torrent or .mtorrent file`);
  }
  return nodeFiles.read(path, MAX_METAINFO_BYTES);
}

/** Tells the formats apart by their first byte: a dictionary (BEP 3), or the URL that begins an `.mtorrent`. */
export function decodeFile(bytes: Uint8Array, name: string): FileSource {
  try {
    if (bytes[0] === 'd'.charCodeAt(0))
      return {
        kind: 'torrent',
        metainfo: parseMetainfo(bytes, nodeHashes, { caseSensitive: nodeFiles.caseSensitive }),
        bytes,
      };
    if (name.endsWith('.mtorrent') || startsLikeUrl(bytes)) return decodeMtorrent(bytes);
  } catch (error) {
    if (error instanceof ShoalError) throw new ShoalError(error.code, `"${name}": ${error.message}`, error);
    throw error;
  }
  throw new ShoalError('METAINFO_INVALID', `"${name}" is no torrent file; give a .torrent or .mtorrent file`);
}

/** That the bytes are a torrent file of either format, sound or not: its info is not read. METAINFO_INVALID, BENCODE_INVALID. */
export function mustBeTorrentFile(bytes: Uint8Array, name: string): void {
  const limits = { maxBytes: MAX_METAINFO_BYTES, maxItems: MAX_METAINFO_ITEMS, allowTrailing: true };
  const dict = bytes[0] === 'd'.charCodeAt(0) ? asDict(decode(bytes, { ...limits, leaveRaw: ['info'] })) : null;
  if (dict?.has('info') !== true) decodeFile(bytes, name);
}

function decodeMtorrent(bytes: Uint8Array): FileSource {
  const metainfo = mtorrentToMetainfo(parseMtorrent(bytes), nodeHashes);
  return { kind: 'mtorrent', metainfo, bytes: buildMetainfo({ ...metainfo, info: metainfo.info.bytes }) };
}

function startsLikeUrl(bytes: Uint8Array): boolean {
  return /^(https?|udp|wss?):\/\//.test(String.fromCharCode(...bytes.subarray(0, 10)));
}

async function fetchFile(url: string, options: FetchOptions): Promise<Uint8Array> {
  const http = await options.http();
  const response = await http.get({
    url,
    maxBytes: MAX_METAINFO_BYTES,
    timeoutMs: FETCH_TIMEOUT_MS,
    ...(options.from ? { from: options.from } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (response.status !== 200) {
    throw new ShoalError('HTTP_FAILED', `${url} answers with status ${response.status}; check the address`);
  }
  return response.body;
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_METAINFO_BYTES) {
      throw new ShoalError(
        'FILE_TOO_LARGE',
        `stdin is longer than ${MAX_METAINFO_BYTES} bytes: this is no torrent file`,
      );
    }
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
