import { describe, expect, it } from 'vitest';
import { safeTarget } from './symlink.ts';

describe('safeTarget', () => {
  it('takes a target for one below the torrent folder, wherever the link is', () => {
    expect(safeTarget(['dir', 'file'], ['link'])).toEqual(['dir', 'file']);
    expect(safeTarget(['dir', 'file'], ['deep', 'down', 'link'])).toEqual(['dir', 'file']);
    expect(safeTarget(['.', 'dir', '', 'file'], ['link'])).toEqual(['dir', 'file']);
  });

  it('reads a target with .. from the folder of the link, as libtorrent 2.0 writes it', () => {
    expect(safeTarget(['..', 'a'], ['sub', 'link'])).toEqual(['a']);
    expect(safeTarget(['..', '..', 'x', '..', 'y'], ['a', 'b', 'link'])).toEqual(['y']);
  });

  it('has no target for one that leaves the torrent or is its folder', () => {
    expect(safeTarget(['..', 'etc', 'passwd'], ['link'])).toBeNull();
    expect(safeTarget(['..', '..', 'x'], ['sub', 'link'])).toBeNull();
    expect(safeTarget(['a', '..', '..', '..'], ['sub', 'link'])).toBeNull();
    expect(safeTarget(['.'], ['link'])).toBeNull();
    expect(safeTarget(['..'], ['sub', 'link'])).toBeNull();
  });

  it('makes each component safe', () => {
    expect(safeTarget(['a/../../etc', 'x\0'], ['link'])).toEqual(['a_.._.._etc', 'x_']);
  });
});
