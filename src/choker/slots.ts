// How many peers are unchoked at one time.

/** BEP 3: with fewer, one slow peer wastes too much of what we could upload. */
const MIN_SLOTS = 4;
/** Without a limit on uploads the capacity is unknown until it is used: a dozen peers find it out. */
const UNKNOWN_CAPACITY_SLOTS = 12;
/** Each slot holds requests, read-ahead and a queue of a megabyte or so: more than this gains no rate. */
const MAX_SLOTS = 200;
/**
 * A slot is worth having when it gets this much: a piece of 1 MiB then takes 20 s at most. Peers that each hold other
 * pieces can feed each other, so the more are served at once, the fewer wait for their first piece.
 */
const BYTES_PER_SECOND_A_SLOT = 50_000;

/** One slot in five goes by chance: enough to find better partners, few enough to reward those that give. */
const SLOTS_AN_OPTIMISTIC = 5;

/**
 * Slots for one torrent. `limitBytesPerSecond`: what uploads are capped to, null for no cap. `upBytesPerSecond`: what
 * is uploaded now, which shows the capacity where there is no cap.
 */
export function uploadSlots(limitBytesPerSecond: number | null, upBytesPerSecond: number): number {
  const capacity = limitBytesPerSecond ?? upBytesPerSecond;
  const least = limitBytesPerSecond === null ? UNKNOWN_CAPACITY_SLOTS : MIN_SLOTS;
  return Math.min(MAX_SLOTS, Math.max(least, Math.floor(capacity / BYTES_PER_SECOND_A_SLOT)));
}

/** How many of the slots are optimistic while we leech: at least one where there is more than one. */
export function optimisticSlots(slots: number): number {
  return slots <= 1 ? 0 : Math.max(1, Math.floor(slots / SLOTS_AN_OPTIMISTIC));
}
