// What one peer may say or ask at most.

import { MAX_PIECES } from '../metainfo/limits.ts';

/** Without metadata there is no piece count: so many early HAVEs are remembered at most (a bitfield says the same). */
export const MAX_EARLY_HAVES = 10_000;
export const MAX_BLOCK_BYTES = 16384;
/** While the piece count is unknown: as many as a torrent may have. */
export const MAX_EARLY_BITFIELD_BYTES: number = MAX_PIECES / 8;
/**
 * BEP 6 has "all" and "none" said once, at the start. Each time costs us a look at every piece, for five bytes of theirs.
 * (A bitfield costs the remote as much: aria2 sends one in the place of several HAVEs.)
 */
export const MAX_WHOLE_SETS = 4;
export const MAX_EXTENDED_BYTES: number = 1 << 20;
/** Suggestions remembered, the latest: a seed promises two at a time. */
export const MAX_SUGGESTED = 16;
/** A remote may ask for up to 128 KiB at once; most never ask for more than a block. */
export const MAX_REQUEST_BYTES = 131_072;
