// shoal remove: forgets torrents. Content stays where it is.

import { resolve } from 'node:path';
import { isShoalError, ShoalError } from '../../base/errors.ts';
import type { Registry, TorrentRecord } from '../../session/registry.ts';
import { UsageError } from '../args.ts';
import { noteError, print, printJson } from '../output.ts';
import { printable } from '../render/printable.ts';
import { openRegistry, type StateOptions } from './list.ts';

export interface RemoveOptions extends StateOptions {
  readonly all?: boolean;
}

/** Fewer digits than this would name a torrent by chance. */
const SHORTEST_PREFIX = 6;

export async function run(names: readonly string[], options: RemoveOptions): Promise<void> {
  if (names.length > 0 === (options.all === true)) {
    throw new UsageError("name the torrents to forget, or give --all; 'shoal list' shows them");
  }
  const registry = openRegistry(options);
  // A record that cannot be read can still be forgotten, by its whole info hash.
  const whole = names.filter((name) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(name));
  const others = names.filter((name) => !whole.includes(name));
  const records = whole.length > 0 && others.length === 0 ? [] : await registry.list(noteError);
  const chosen = options.all ? records : others.map((name) => choose(records, name));
  const known = new Map(records.map((record) => [record.id, record]));
  const ids = new Set([...whole, ...chosen.map((record) => record.id)]);
  const removed: string[] = [];
  for (const id of ids) {
    if (!known.has(id) && !(await exists(registry, id))) throw unknown(id);
    await registry.remove(id);
    removed.push(id);
  }
  if (options.json) printJson({ removed });
  else for (const id of removed) print(`forgotten: ${printable(known.get(id)?.name ?? id)} (its content stays)`);
}

function choose(records: readonly TorrentRecord[], name: string): TorrentRecord {
  const path = resolve(name);
  const hex = name.toLowerCase();
  const byHash = (record: TorrentRecord): boolean =>
    /^[0-9a-f]+$/.test(hex) &&
    hex.length >= SHORTEST_PREFIX &&
    [record.infoHashV1, record.infoHashV2].some((hash) => hash?.startsWith(hex));
  const found = records.filter((record) => record.name === name || record.path === path || byHash(record));
  if (found.length > 1) {
    throw new UsageError(`'${name}' names ${found.length} torrents; give the first digits of an info hash`);
  }
  if (!found[0]) throw unknown(name);
  return found[0];
}

/** A record that cannot be read is one, too. */
async function exists(registry: Registry, id: string): Promise<boolean> {
  try {
    return (await registry.read(id)) !== null;
  } catch (error) {
    return isShoalError(error);
  }
}

function unknown(name: string): ShoalError {
  return new ShoalError('TORRENT_UNKNOWN', `no torrent '${name}' is known; 'shoal list' shows them`);
}
