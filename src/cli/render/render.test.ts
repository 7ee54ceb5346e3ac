import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type ProgressState, renderProgress } from '../progress.ts';
import { renderBar } from './bar.ts';
import { renderFacts } from './facts.ts';
import { printable } from './printable.ts';
import {
  count,
  formatBytes,
  formatBytesExactly,
  formatDate,
  formatDuration,
  formatPercent,
  formatPieceLength,
  formatRatio,
} from './quantities.ts';
import { renderTable } from './table.ts';
import { renderTree } from './tree.ts';

const plain = stripVTControlCharacters;

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [1_499_999, '1.50 MB'],
    [999_999, '1.00 MB'],
    [12_345_678_901, '12.3 GB'],
    [2e15, '2.00 PB'],
    [3e18, '3.00e+3 PB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [0.44, '0.4 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [60, '1 min 00 s'],
    [3599, '59 min 59 s'],
    [7500, '2 h 05 min'],
    [200_000, '2 d 07 h'],
    [null, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('%s seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it('never say done before it is so', () => {
    expect(formatPercent(0.99999)).toBe('99.9 %');
    expect(formatPercent(1)).toBe('100.0 %');
    expect(renderBar(0.9999, 10)).toBe('[=========>]');
    expect(renderBar(1, 10)).toBe('[==========]');
    expect(renderBar(0, 10)).toBe('[>         ]');
    expect(renderBar(Number.NaN, 4)).toBe('[>   ]');
  });

  it('have lengths, dates, ratios and counts as people write them', () => {
    expect(formatPieceLength(524288)).toBe('512 KiB');
    expect(formatPieceLength(4 * 2 ** 20)).toBe('4 MiB');
    expect(formatPieceLength(1000)).toBe('1000 bytes');
    expect(formatBytesExactly(1500)).toBe('1.50 kB (1500 bytes)');
    expect(formatDate(0)).toBe('1970-01-01 00:00:00 UTC');
    expect(formatDate(1e300)).toBe('1e+300');
    expect(formatRatio(Number.POSITIVE_INFINITY)).toBe('∞');
    expect([count(1, 'piece'), count(0, 'piece')]).toEqual(['1 piece', '0 pieces']);
  });
});

describe('text from outside', () => {
  it('keeps every script and loses what steers a terminal', () => {
    expect(printable('日本語 файл ملف 🎬')).toBe('日本語 файл ملف 🎬');
    expect(printable('a\u001b[2Jb\nc\u009bd\u202ee')).toBe('a?[2Jb?c?d?e');
  });
});

describe('tables, facts and trees', () => {
  it('line up and hold no escape sequence of a name', () => {
    const table = plain(
      renderTable(
        [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }],
        [
          ['a\u001b[0m', '1 B'],
          ['bb', '10 B'],
        ],
      ),
    );
    expect(table).toBe('NAME   SIZE\na?[0m   1 B\nbb     10 B');
  });

  it('leave out facts that are not known', () => {
    const text = plain(
      renderFacts([
        ['name', 'x'],
        ['comment', null],
        ['trackers', ['a', 'b']],
        ['web seeds', []],
      ]),
    );
    expect(text).toBe('name      x\ntrackers  a\n          b');
  });

  it('show folders once, and say how many files are hidden', () => {
    const files = [
      { path: ['b', 'x.txt'], lengthBytes: 1, note: '' },
      { path: ['b', 'y.txt'], lengthBytes: 2, note: 'executable' },
      { path: ['a.txt'], lengthBytes: 3, note: '' },
    ];
    expect(renderTree('root', files, 100).map(plain)).toEqual([
      'root',
      '├─ b/',
      '│  ├─ x.txt  1 B',
      '│  └─ y.txt  2 B  executable',
      '└─ a.txt  3 B',
    ]);
    expect(renderTree('root', files, 3).map(plain).slice(-1)[0]).toBe('… and 2 more (--all shows every file)');
  });
});

describe('progress', () => {
  const state: ProgressState = {
    name: 'disk.img',
    state: 'downloading',
    fraction: 0.5,
    doneBytes: 5e8,
    totalBytes: 1e9,
    downloadBytesPerSecond: 1e7,
    uploadBytesPerSecond: 2e6,
    etaS: 50,
    peers: 7,
    seeds: 3,
    ratio: 0.2,
  };

  it('shows name, bar, percent, rates, ETA, peers (seeds) and ratio', () => {
    expect(plain(renderProgress([state], 200))).toBe(
      'disk.img  500 MB of 1.00 GB  7 peers (3 seeds)  ratio 0.20\n[============>           ] 50.0 %  ↓ 10.0 MB/s  ↑ 2.00 MB/s  ETA 50 s',
    );
  });

  it('shows all of it in 80 columns, whatever the name and the numbers', () => {
    const long = { ...state, name: 'x'.repeat(200), peers: 1234, seeds: 1, ratio: 12.34, etaS: 7500 };
    const [first, second] = plain(renderProgress([long], 80)).split('\n');
    expect(first).toHaveLength(80);
    expect(first).toMatch(/^x+… /);
    expect(first!.endsWith('…  500 MB of 1.00 GB  1234 peers (1 seed)  ratio 12.34')).toBe(true);
    expect(second).toMatch(/ETA 2 h 05 min$/);
    expect(second!.length).toBeLessThanOrEqual(80);
  });

  it('fits the screen, in width and height', () => {
    const lines = plain(
      renderProgress(
        Array.from({ length: 50 }, () => state),
        40,
      ),
    ).split('\n');
    expect(lines.length).toBeLessThan(20);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines[lines.length - 1]).toContain('and 42 more');
  });
});
