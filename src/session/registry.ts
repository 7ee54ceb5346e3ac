// What was shared and fetched, across runs: which torrent, which file of it, where its content lies.

import { fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { buildMetainfo } from '../metainfo/build.ts';
import { formatMagnet } from '../metainfo/magnet.ts';
import type { Magnet, Metainfo } from '../metainfo/types.ts';
import type { Store } from '../ports/store.ts';
import { joinPath } from '../storage/safe-path.ts';
import type { AddRequest } from './request.ts';

/** Format of the records below. A newer one is refused, not guessed at. */
const VERSION = 1;
const RECORD = 'record';
const METAINFO = 'metainfo';
const ALIAS = 'alias';

export interface TorrentRecord {
  readonly version: number;
  /** Lower-case hex, as a key in the store: that of v1 where there is one. */
  readonly id: string;
  readonly name: string | null;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  /** Of the content; null while the metadata of a magnet link is unknown. */
  readonly path: string | null;
  readonly saveFolder: string | null;
  readonly mode: 'get' | 'seed';
  readonly everyTracker: boolean;
  /** Patterns of the files that were selected; empty: all. */
  readonly selection: readonly string[];
  readonly complete: boolean;
  /** The link it was begun with; null for a torrent file. */
  readonly magnet: string | null;
  /** Whether the torrent file is kept beside this record. */
  readonly metainfoKept: boolean;
  readonly lengthBytes: number | null;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly addedMs: number;
}

interface Hashes {
  readonly infoHashV1: Uint8Array | null;
  /** 32 bytes. */
  readonly infoHashV2: Uint8Array | null;
}

/**
 * Store keys are folders by info hash: `HASH/record`, `HASH/metainfo`, `HASH/journal`, `HASH/lock`. A hybrid torrent has
 * two hashes and its record under one of them, the v1 hash unless it was begun with a link that names the other alone.
 * Under its second hash lies `HASH/alias`: the first one.
 */
function namesOf({ infoHashV1, infoHashV2 }: Hashes): string[] {
  return [infoHashV1, infoHashV2].flatMap((hash) => (hash ? [toHex(hash)] : []));
}

export class Registry {
  readonly #store: Store;
  readonly #nowMs: () => number;
  /** Writes one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** All records, oldest first. One that cannot be read is told and left out. STATE_VERSION. */
  async list(onDamaged: (error: ShoalError) => void): Promise<TorrentRecord[]> {
    const out: TorrentRecord[] = [];
    for (const key of await this.#store.list('')) {
      if (!key.endsWith(`/${RECORD}`)) continue;
      try {
        const record = await this.read(key.slice(0, -RECORD.length - 1));
        if (record) out.push(record);
      } catch (error) {
        if (!isShoalError(error, 'STATE_INVALID')) throw error;
        onDamaged(error);
      }
    }
    return out.sort((a, b) => a.addedMs - b.addedMs || (a.id < b.id ? -1 : 1));
  }

  async read(id: string): Promise<TorrentRecord | null> {
    const bytes = await this.#store.read(`${id}/${RECORD}`);
    return bytes === null ? null : parseRecord(id, bytes);
  }

  /** The id of the record that there is for any of these hashes; else the one that a new record is to have. */
  async idOf(hashes: Hashes): Promise<string> {
    const names = namesOf(hashes);
    for (const name of names) {
      if ((await this.#store.read(`${name}/${RECORD}`)) !== null) return name;
      const alias = fromUtf8((await this.#store.read(`${name}/${ALIAS}`)) ?? utf8(''));
      if (alias !== null && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(alias)) return alias;
    }
    return names[0]!;
  }

  /** The torrent file of a record; null while a magnet link has not got its metadata. */
  metainfo(id: string): Promise<Uint8Array | null> {
    return this.#store.read(`${id}/${METAINFO}`);
  }

  /** Forgets a torrent; its content stays. TORRENT_BUSY while a process holds it. */
  async remove(id: string): Promise<void> {
    const lock = await this.#store.lock(`${id}/lock`);
    if (lock === null)
      throw new ShoalError('TORRENT_BUSY', `another shoal process holds this torrent (${id}); stop it first`);
    const record = await this.read(id).catch(() => null);
    for (const name of [record?.infoHashV1, record?.infoHashV2]) {
      if (name && name !== id) await this.#store.remove(`${name}/${ALIAS}`);
    }
    for (const key of [RECORD, METAINFO, 'journal']) await this.#store.remove(`${id}/${key}`);
    await lock.release();
  }

  /** A torrent is taken up: its record is made or brought up to date. */
  async began(id: string, request: AddRequest, source: Metainfo | Magnet): Promise<void> {
    const old = await this.read(id);
    const known = 'info' in source;
    const info = known ? source.info : source;
    if (known && old?.metainfoKept !== true) {
      await this.#store.write(`${id}/${METAINFO}`, request.metainfoBytes ?? metainfoFile(source));
    }
    const { saveFolder } = request;
    const record: TorrentRecord = {
      version: VERSION,
      id,
      name: info.name ?? old?.name ?? null,
      infoHashV1: info.infoHashV1 && toHex(info.infoHashV1),
      infoHashV2: info.infoHashV2 && toHex(info.infoHashV2),
      path:
        request.contentPath ?? (known && saveFolder ? joinPath(saveFolder, [source.info.name]) : (old?.path ?? null)),
      saveFolder: saveFolder ?? old?.saveFolder ?? null,
      mode: request.mode,
      everyTracker: request.everyTracker ?? false,
      selection: request.selection ?? [],
      complete: request.mode === 'seed' || (old?.complete ?? false),
      magnet: known ? null : formatMagnet(source),
      metainfoKept: known || (old?.metainfoKept ?? false),
      lengthBytes: info.lengthBytes,
      addedMs: old?.addedMs ?? this.#nowMs(),
    };
    await this.#nameAlso(id, info);
    // Taking up what was there costs no write: a thousand torrents start as fast as they can be read.
    if (old === null || !isSame(record, old)) await this.#write(record);
  }

  /** The metadata of a magnet link has come. */
  learned(id: string, metainfo: Metainfo, path: string): Promise<void> {
    return this.#change(id, async (record) => {
      await this.#store.write(`${id}/${METAINFO}`, metainfoFile(metainfo));
      const { name, lengthBytes, infoHashV1, infoHashV2 } = metainfo.info;
      await this.#nameAlso(id, metainfo.info);
      return {
        ...record,
        metainfoKept: true,
        name,
        path,
        lengthBytes,
        infoHashV1: infoHashV1 && toHex(infoHashV1),
        infoHashV2: infoHashV2 && toHex(infoHashV2),
      };
    });
  }

  completed(id: string, path: string): Promise<void> {
    return this.#change(id, async (record) => ({ ...record, path, complete: true }));
  }

  /** Resolves when all that was told is on disk. */
  settled(): Promise<void> {
    return this.#writing;
  }

  #change(id: string, change: (record: TorrentRecord) => Promise<TorrentRecord>): Promise<void> {
    const act = this.#writing.then(async () => {
      const record = await this.read(id);
      if (!record) return;
      const changed = await change(record);
      if (!isSame(changed, record)) await this.#write(changed);
    });
    this.#writing = act.catch(() => undefined);
    return act;
  }

  /** The record `id` is found by the other hash of a hybrid torrent, too. */
  async #nameAlso(id: string, hashes: Hashes): Promise<void> {
    for (const name of namesOf(hashes)) {
      const key = `${name}/${ALIAS}`;
      if (name !== id && (await this.#store.read(key)) === null) await this.#store.write(key, utf8(id));
    }
  }

  #write(record: TorrentRecord): Promise<void> {
    return this.#store.write(`${record.id}/${RECORD}`, utf8(`${JSON.stringify(record, null, 2)}\n`));
  }
}

function isSame(a: TorrentRecord, b: TorrentRecord): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A torrent file from what is known. */
function metainfoFile(metainfo: Metainfo): Uint8Array {
  return buildMetainfo({ ...metainfo, info: metainfo.info.bytes });
}

function parseRecord(id: string, bytes: Uint8Array): TorrentRecord {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes) ?? '');
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || !('version' in value)) {
    throw new ShoalError(
      'STATE_INVALID',
      `the record of torrent ${id} cannot be read; "shoal remove ${id}" forgets it`,
    );
  }
  if (value.version !== VERSION) {
    throw new ShoalError('STATE_VERSION', 'the state was written by a newer shoal; use that one, or another --state');
  }
  return value as TorrentRecord;
}
