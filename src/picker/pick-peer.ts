// What the picker looks at in a peer, and what it says of a block that came.

import type { Bitfield } from '../base/bitfield.ts';

/** The object is read during the call only. */
export interface PickPeer {
  /** A small whole number, its own while it is connected, then reused. */
  readonly number: number;
  readonly have: Bitfield;
  /** Suspected of bad data: gets whole pieces for itself alone, so that the next bad one proves it. */
  readonly parole: boolean;
  /** Much slower than the others, or snubbed: shares pieces with its like instead of holding up fast peers. */
  readonly slow: boolean;
  /** Pieces it suggested (BEP 6), the one to begin first in front; they come before rarer ones, but not in sequential mode. */
  readonly suggested?: readonly number[];
}

/** The first copy of a block, a further copy of one that is here, or one that this peer was not asked for. */
export type Arrival = 'first' | 'duplicate' | 'unexpected';
