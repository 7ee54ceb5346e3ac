import { describe, expect, it } from 'vitest';
import { sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { Geometry } from '../metainfo/geometry.ts';
import { parseInfo } from '../metainfo/info.ts';
import { type ContentFileState, ContentStates } from '../ports/content-states.ts';
import type { Content } from '../ports/piece-io.ts';
import { JournalState } from './journal-state.ts';
import { Layout } from './layout.ts';
import { compareFiles, LATE_WRITE_MS } from './resume.ts';

const PIECE = 16384;
const LENGTH = 2 * PIECE;
const LAST_RECORD_MS = 1_000_000;
const MTIME_MS = 900_000.25;

const info = parseInfo(
  sampleTorrent(
    ['a', 'b', 'c'].map((name) => ({ path: [name], bytes: new Uint8Array(LENGTH) })),
    { kind: 'v1', pieceLengthBytes: PIECE },
  ).info,
  testHashes,
);
const layout = new Layout(info, new Geometry(info));

/** Doubtful pieces where `verified` were journaled and file b (pieces 2 and 3) is found as `change` says. */
async function doubtfulAfter(
  change: Partial<ContentFileState>,
  clean: boolean,
  verified: readonly number[] = [0, 1, 2, 3, 4, 5],
): Promise<number[]> {
  const state = new JournalState(6, 3);
  const wallMs = LAST_RECORD_MS;
  const files = [0, 1, 2].map((index) => ({ index, lengthBytes: LENGTH, mtimeMs: MTIME_MS }));
  state.apply({ wallMs, uploaded: 0, downloaded: 0, won: verified, lost: [], files });
  state.clean = clean;
  const found = { exists: true, lengthBytes: LENGTH, mtimeMs: MTIME_MS, executable: false };
  const states = ContentStates.of([found, { ...found, ...change }, found]);
  const content = { states: async () => states } as unknown as Content;
  const out: number[] = [];
  const { doubtful } = await compareFiles(state, layout, content);
  doubtful.forEach((piece) => {
    out.push(piece);
  });
  return out;
}

const changes: Partial<ContentFileState>[] = [
  { mtimeMs: MTIME_MS + 0.25 },
  { mtimeMs: MTIME_MS - 1 },
  { lengthBytes: LENGTH - 1 },
  { lengthBytes: LENGTH + 1 },
  { exists: false },
];

describe('files compared with the journal', () => {
  it('are trusted as they were recorded', async () => {
    expect(await doubtfulAfter({}, true)).toEqual([]);
    expect(await doubtfulAfter({}, false)).toEqual([]);
  });

  it('are doubted for any change after a clean stop, and only their own pieces', async () => {
    for (const change of changes) expect(await doubtfulAfter(change, true)).toEqual([2, 3]);
    for (const change of changes) expect(await doubtfulAfter(change, true, [0, 2])).toEqual([2]);
  });

  it('are doubted for any change after a crash where they were complete', async () => {
    for (const change of changes) expect(await doubtfulAfter(change, false)).toEqual([2, 3]);
  });

  it('may be newer and longer after a crash where they were being written, up to the late writes', async () => {
    const begun = [0, 1, 2, 4, 5];
    const latest = LAST_RECORD_MS + LATE_WRITE_MS;
    expect(await doubtfulAfter({ mtimeMs: latest }, false, begun)).toEqual([]);
    expect(await doubtfulAfter({ mtimeMs: latest, lengthBytes: LENGTH + 5 }, false, begun)).toEqual([]);
    expect(await doubtfulAfter({ mtimeMs: latest + 1 }, false, begun)).toEqual([2]);
    expect(await doubtfulAfter({ mtimeMs: MTIME_MS - 1 }, false, begun)).toEqual([2]);
    expect(await doubtfulAfter({ mtimeMs: latest, lengthBytes: LENGTH - 1 }, false, begun)).toEqual([2]);
    expect(await doubtfulAfter({ exists: false }, false, begun)).toEqual([2]);
  });

  it('do not matter where they have no verified piece', async () => {
    for (const change of changes) expect(await doubtfulAfter(change, true, [0, 1, 4, 5])).toEqual([]);
  });
});
