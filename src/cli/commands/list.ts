// shoal list: what was shared and fetched, in this run of the program or an earlier one.

import { existsSync } from 'node:fs';
import { createNodeClock } from '../../platform/node/clock.ts';
import { createFileStore } from '../../platform/node/store.ts';
import { Registry, type TorrentRecord } from '../../session/registry.ts';
import type { JsonOption } from '../options.ts';
import { note, noteError, print, printJson } from '../output.ts';
import { formatBytes, formatDate } from '../render/quantities.ts';
import { renderTable } from '../render/table.ts';
import { usableStateFolder } from '../world.ts';

export interface StateOptions extends JsonOption {
  readonly state?: string;
}

/** The records of a state folder, without anything else of the engine. */
export function openRegistry(options: StateOptions): Registry {
  return new Registry(createFileStore(usableStateFolder(options.state)), () => createNodeClock().wallMs());
}

export async function run(options: StateOptions): Promise<void> {
  const records = await openRegistry(options).list(noteError);
  if (options.json) {
    printJson(records.map(jsonOf));
    return;
  }
  if (records.length === 0) {
    note("nothing was shared or fetched yet; 'shoal share' and 'shoal get' begin");
    return;
  }
  const columns = [
    { title: 'NAME' },
    { title: 'SIZE', align: 'right' },
    { title: 'WHAT' },
    { title: 'SINCE' },
    { title: 'INFO HASH' },
    { title: 'PATH' },
  ] as const;
  print(renderTable(columns, records.map(rowOf)));
}

function rowOf(record: TorrentRecord): string[] {
  return [
    record.name ?? '(not known yet)',
    record.lengthBytes === null ? '' : formatBytes(record.lengthBytes),
    whatOf(record),
    formatDate(Math.floor(record.addedMs / 1000)).slice(0, 16),
    record.id.slice(0, 12),
    record.path ?? record.saveFolder ?? '',
  ];
}

function whatOf(record: TorrentRecord): string {
  if (isGone(record)) return record.mode === 'seed' ? 'shared, gone' : 'fetched, gone';
  if (record.mode === 'seed') return 'shared';
  return record.complete ? 'fetched' : 'unfinished';
}

/** It was complete, and nothing is at its place any more. */
function isGone({ complete, path }: TorrentRecord): boolean {
  return complete && path !== null && !existsSync(path);
}

function jsonOf(record: TorrentRecord): object {
  const { name, infoHashV1, infoHashV2, path, mode, complete, lengthBytes, addedMs } = record;
  const added = Math.floor(addedMs / 1000);
  return { name, infoHashV1, infoHashV2, path, mode, complete, gone: isGone(record), length: lengthBytes, added };
}
