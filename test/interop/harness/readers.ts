// How transmission-show and aria2c read a torrent file.

import type { Stage } from './stage.ts';

/** What a program says about a torrent file. */
export interface Reading {
  readonly name: string;
  readonly infoHash: string;
  readonly pieceCount: number;
  /** Paths that begin with the torrent's name, sorted. */
  readonly files: readonly string[];
}

/** `lengths` in the order of `files`. */
export interface ReadingWithLengths extends Reading {
  readonly lengths: readonly number[];
}

/** What `transmission-show FILE` prints, without who made it, when, and what it is called; null where it refuses. */
export async function showByTransmission(stage: Stage, file: string): Promise<string | null> {
  const program = stage.start('transmission-show', 'transmission-show', [file]);
  if ((await program.exit()) !== 0) return null;
  return program.stdout.replace(/^(File:| {2}Created).*\n/gm, '');
}

/** What `aria2c -S FILE` prints, without who made it, when, and what it is called. */
export async function showByAria2(stage: Stage, file: string): Promise<string> {
  const text = await stage.run('aria2c', ['--no-conf', '--show-files', file]);
  return text.replace(/^(>>>|Creat).*\n/gm, '');
}

export function parseTransmission(text: string): Reading {
  const files = text.slice(text.indexOf('\nFILES\n') + 7).split('\n');
  return {
    name: field(text, 'Name'),
    infoHash: field(text, 'Hash'),
    pieceCount: Number(field(text, 'Piece Count')),
    files: files
      .filter((line) => line.startsWith('  '))
      .map((line) => line.slice(2).replace(/ \([^(]*\)$/, ''))
      .sort(),
  };
}

export function parseAria2(text: string): ReadingWithLengths {
  const files = [...text.matchAll(/^ *\d+\|(?:\.\/)?(.*)\n +\|.*\(([\d,]+)\)$/gm)]
    .map(([, path, length]) => [path!, Number(length!.replaceAll(',', ''))] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    name: field(text, 'Name'),
    infoHash: field(text, 'Info Hash'),
    pieceCount: Number(field(text, 'The Number of Pieces')),
    files: files.map(([path]) => path),
    lengths: files.map(([, length]) => length),
  };
}

function field(text: string, name: string): string {
  return new RegExp(`^ *${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
}
