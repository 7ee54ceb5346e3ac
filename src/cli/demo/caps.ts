// How fast the processes of the demo may send. Pure.
//
//   seed           ==============x                        all is out; a leech has somewhat more than half
//   leech A, B, C  ====================================o  complete after more than twice the time
//                                ^ the window: nobody is complete

export interface Caps {
  readonly seedBytesPerSecond: number;
  /** Of each leech. */
  readonly leechBytesPerSecond: number;
  /** So long the seed needs to send everything once. */
  readonly outSeconds: number;
  /** Time between the two kills, while the window is open. */
  readonly pauseSeconds: number;
}

/** What two cores move through six processes with ease: above it the machine would set the pace, not the caps. */
const FASTEST_BYTES_PER_SECOND = 19e6;
/** Small content is sent so slowly that there is something to watch. */
const SHORTEST_SECONDS = 4;
/**
 * A leech's share of the seed's rate. When the seed has sent the content once, three leeches with a quarter of its rate
 * have sent three quarters of it, so each has 58 % on average; with faster ones the luckiest would be complete when all
 * is out. Luck averages out over a long transfer, and needs more room in a short one.
 */
const LONG_SHARE = 1 / 4;
const SHORT_SHARE = 1 / 5;
const LONG_SECONDS = 10;
/** The second kill must come well before the first leech is complete. */
const PAUSE_SHARE = 1 / 10;

export function capsFor(lengthBytes: number): Caps {
  const outSeconds = Math.max(SHORTEST_SECONDS, lengthBytes / FASTEST_BYTES_PER_SECOND);
  const seedBytesPerSecond = Math.ceil(lengthBytes / outSeconds);
  return {
    seedBytesPerSecond,
    leechBytesPerSecond: Math.ceil(seedBytesPerSecond * (outSeconds < LONG_SECONDS ? SHORT_SHARE : LONG_SHARE)),
    outSeconds,
    pauseSeconds: Math.min(2, outSeconds * PAUSE_SHARE),
  };
}
