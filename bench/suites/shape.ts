// The sizes of one seed and one leech: of leech, seed and pair.

import type { Client, Role } from '../clients/client.ts';
import { digits } from '../report/stats.ts';
import type { Column } from '../report/table.ts';
import type { Stage, TransferShape } from './suite.ts';

const FULL_MIB = 2048;
const QUICK_MIB = 256;
/** The slow programs' content with --quick. */
const QUICK_SLOW_MIB = 16;
const PIECE_BYTES = 1 << 20;
const TIMEOUT_MS = 120_000;

/** Private memory of a process at full speed. */
export const MOST_PRIVATE_MIB = 128;

export function pairShape(stage: Stage, pieceBytes: number = PIECE_BYTES, meta: 'v1' | 'v2' = 'v1'): TransferShape {
  const { options } = stage;
  const sizeMib = options.sizeMib ?? (options.quick ? QUICK_MIB : FULL_MIB);
  return { sizeMib, pieceBytes: options.pieceBytes ?? pieceBytes, meta, timeoutMs: TIMEOUT_MS };
}

/** For a program that is slow in a role, less; and its name in the tables then says so. */
export function shapeFor(stage: Stage, client: Client, role: Role): TransferShape & { readonly label: string } {
  const shape = pairShape(stage);
  const most = client.mostMib[role];
  const limit = most === null ? shape.sizeMib : stage.options.quick ? QUICK_SLOW_MIB : most;
  const sizeMib = Math.min(shape.sizeMib, limit);
  return { ...shape, sizeMib, label: sizeMib < shape.sizeMib ? `${client.name} (${sizeMib} MiB)` : client.name };
}

/** `1 MiB`, `256 KiB` */
export function showSize(bytes: number): string {
  return bytes >= 1 << 20 ? `${digits(bytes / (1 << 20)).replace(/\.0+$/, '')} MiB` : `${bytes / 1024} KiB`;
}

export const RATE: Column = { title: 'MB/s', figure: 'megabytesPerSecond' };
export const TIMES: readonly Column[] = [
  { title: 's', figure: 'seconds' },
  { title: 's from first block on disk', figure: 'secondsFromDisk' },
  { title: 's with start-up', figure: 'wallSeconds' },
];
export const LEECH_COSTS: readonly Column[] = [
  { title: 'leech CPU s/GiB', figure: 'leechCpuPerGib' },
  { title: 'leech private MiB', figure: 'leechPrivateMib' },
  { title: 'leech RSS MiB', figure: 'leechRssMib' },
];
export const SEED_COSTS: readonly Column[] = [
  { title: 'seed CPU s/GiB', figure: 'seedCpuPerGib' },
  { title: 'seed private MiB', figure: 'seedPrivateMib' },
  { title: 'seed RSS MiB', figure: 'seedRssMib' },
];
