// What the choker looks at in a peer. Read during a call only.

export interface ChokePeer {
  /** A small whole number, its own while it is connected. */
  readonly number: number;
  /** It wants something of us. */
  readonly interested: boolean;
  /** By us. */
  readonly choked: boolean;
  /** It has sent no block for long though asked (see `isSnubbed`). */
  readonly snubbed: boolean;
  /** Bytes a second of payload from it, over the last seconds. */
  readonly downBytesPerSecond: number;
  /** Bytes a second of payload to it. */
  readonly upBytesPerSecond: number;
  /** Payload sent to it since it was last unchoked. */
  readonly sentSinceUnchokedBytes: number;
  /** When it connected. */
  readonly connectedMs: number;
  /** When it was last unchoked; null: never. */
  readonly lastUnchokedMs: number | null;
}
