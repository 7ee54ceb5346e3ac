// Bytes of a `.torrent` file -> Metainfo, checked (BEP 3, 5, 12, 17, 19, 38, 52).

import { fromLatin1, toHex } from '../base/bytes.ts';
import { asBytes, asDict, asInteger, asList, asText, type BencodeDict, type BencodeValue } from '../bencode/decode.ts';
import type { Hashes } from '../ports/hashes.ts';
import {
  decodeMetainfo,
  type InfoOptions,
  looseTextOf,
  parseInfo,
  readCollections,
  readInfo,
  readSimilar,
} from './info.ts';
import { checkedLayers } from './layers.ts';
import { MAX_HINTS, MAX_URL_LENGTH, MAX_URLS, metainfoInvalid } from './limits.ts';
import type { Metainfo, TorrentInfo } from './types.ts';

export interface MetainfoOptions extends InfoOptions {
  /**
   * False: piece layers may be missing (they are then asked of peers), as in a torrent whose info came by a magnet link.
   * Those present are checked all the same. Default: true, as BEP 52 says of torrent files.
   */
  readonly requireLayers?: boolean;
}

/** Reads a torrent file. Views into `bytes` are kept, so it must not change. Throws METAINFO_INVALID, nothing else. */
export function parseMetainfo(bytes: Uint8Array, hashes: Hashes, options: MetainfoOptions = {}): Metainfo {
  // Some programs leave a line end behind the dictionary; nothing depends on it.
  const dict = asDict(decodeMetainfo(bytes, 'the file', { allowTrailing: true, leaveRaw: ['info', 'files'] }));
  if (dict === null) throw metainfoInvalid('the file holds no dictionary');
  const infoDict = asDict(dict.get('info'));
  if (infoDict === null) throw metainfoInvalid('it has no info dictionary');
  const info = withOuterHints(readInfo(infoDict, dict.rawSpan('info')!, hashes, options), dict);
  const layers = info.hasV2
    ? checkedLayers(info, readLayers(dict), (node) => hashes.sha256(node), options.requireLayers ?? true)
    : new Map<string, Uint8Array>();
  return around(info, layers, dict);
}

/**
 * A torrent whose info and piece layers are known already, with what `outer`, a torrent file, says around its own info,
 * which is not looked at. Throws METAINFO_INVALID.
 */
export function metainfoAround(info: TorrentInfo, pieceLayers: Metainfo['pieceLayers'], outer: Uint8Array): Metainfo {
  const dict = asDict(decodeMetainfo(outer, 'the file'));
  if (dict === null) throw metainfoInvalid('the file holds no dictionary');
  return around(info, pieceLayers, dict);
}

function around(info: TorrentInfo, pieceLayers: Metainfo['pieceLayers'], dict: BencodeDict): Metainfo {
  return {
    info,
    pieceLayers,
    trackers: readTrackers(dict),
    webSeeds: readUrls(dict.get('url-list')),
    httpSeeds: readUrls(dict.get('httpseeds')),
    nodes: readNodes(dict),
    comment: looseTextOf(dict.get('comment.utf-8')) ?? looseTextOf(dict.get('comment')),
    createdBy: looseTextOf(dict.get('created by.utf-8')) ?? looseTextOf(dict.get('created by')),
    creationDate: asInteger(dict.get('creation date'), 0),
  };
}

/**
 * A torrent of which only the info dictionary is known (from peers, BEP 9): no piece layers, and where to ask from the
 * magnet link. Throws METAINFO_INVALID.
 */
export function metainfoFromInfo(
  infoBytes: Uint8Array,
  trackers: Metainfo['trackers'],
  webSeeds: readonly string[],
  hashes: Hashes,
  options: InfoOptions = {},
): Metainfo {
  return {
    info: parseInfo(infoBytes, hashes, options),
    pieceLayers: new Map(),
    trackers,
    webSeeds,
    httpSeeds: [],
    nodes: [],
    comment: null,
    createdBy: null,
    creationDate: null,
  };
}

/** BEP 38: hints inside and outside of the info dictionary are merged. */
function withOuterHints(info: TorrentInfo, dict: BencodeDict): TorrentInfo {
  if (!dict.has('similar') && !dict.has('collections')) return info;
  const similar = new Map([...info.similar, ...readSimilar(dict)].map((hash) => [toHex(hash), hash]));
  const collections = new Set([...info.collections, ...readCollections(dict)]);
  return { ...info, similar: [...similar.values()], collections: [...collections] };
}

/** Layers by hex of their root, unchecked. */
function readLayers(dict: BencodeDict): ReadonlyMap<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  for (const [root, value] of asDict(dict.get('piece layers')) ?? []) {
    const layer = asBytes(value);
    if (root.length === 32 && layer !== null) out.set(toHex(fromLatin1(root)), layer);
  }
  return out;
}

/** BEP 12: `announce-list` wins over `announce`. A tier that is a plain URL is taken for a tier of one. */
function readTrackers(dict: BencodeDict): readonly (readonly string[])[] {
  const seen = new Set<string>();
  const tiers: string[][] = [];
  for (const tier of asList(dict.get('announce-list')) ?? []) {
    const fresh = readUrls(tier).filter((url) => !seen.has(url));
    const urls = fresh.slice(0, MAX_URLS - seen.size);
    for (const url of urls) seen.add(url);
    if (urls.length > 0) tiers.push(urls);
    if (seen.size >= MAX_URLS) break;
  }
  return tiers.length > 0 ? tiers : readUrls(dict.get('announce')).map((url) => [url]);
}

/** URLs from a string or a list of them, each once; what is no URL is left out. */
function readUrls(value: BencodeValue | undefined): readonly string[] {
  const out = new Set<string>();
  for (const each of asList(value) ?? [value]) {
    const url = asText(each)?.trim();
    if (url !== undefined && isUrl(url)) out.add(url);
    if (out.size >= MAX_URLS) break;
  }
  return [...out];
}

/** Whether a text can be handed on as a URL: a scheme, no spaces or control characters, not endless. */
export function isUrl(text: string): boolean {
  return text.length <= MAX_URL_LENGTH && /^[a-z][a-z0-9+.-]*:\/\/[^\s\p{Cc}]+$/iu.test(text);
}

/** BEP 5: pairs of host and port. */
function readNodes(dict: BencodeDict): Metainfo['nodes'] {
  const out: { host: string; port: number }[] = [];
  for (const entry of (asList(dict.get('nodes')) ?? []).slice(0, MAX_HINTS)) {
    const pair = asList(entry);
    const host = asText(pair?.[0]);
    const port = asInteger(pair?.[1], 1);
    if (host !== null && isHost(host) && port !== null && port <= 65535) out.push({ host, port });
  }
  return out;
}

/** Whether a text can be a host name or an IP address, without brackets. */
export function isHost(text: string): boolean {
  return text.length <= 253 && /^[\p{L}\p{N}._:-]+$/u.test(text);
}
