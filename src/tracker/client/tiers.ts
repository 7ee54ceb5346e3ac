// The order in which trackers are asked (BEP 12): tiers one after the other, shuffled inside, who answers moves up.

import { type Random, shuffle } from '../../ports/random.ts';

/** Most trackers taken of a torrent: lists in the wild have a hundred, and every one of them may hang. */
const MAX_TRACKERS = 200;

export class Tiers {
  readonly #tiers: readonly string[][];

  /** Empty and repeated URLs are dropped; a URL in two tiers stays in the earlier one. */
  constructor(tiers: readonly (readonly string[])[], random: Random) {
    const seen = new Set<string>();
    const out: string[][] = [];
    for (const tier of tiers) {
      const urls: string[] = [];
      for (const raw of tier) {
        const url = raw.trim();
        if (url === '' || seen.has(url) || seen.size === MAX_TRACKERS) continue;
        seen.add(url);
        urls.push(url);
      }
      if (urls.length > 0) out.push(shuffle(random, urls));
    }
    this.#tiers = out;
  }

  /** URLs in the order to ask them, with the number of their tier. */
  order(): { url: string; tier: number }[] {
    return this.#tiers.flatMap((urls, tier) => urls.map((url) => ({ url, tier })));
  }

  /** Moves a tracker that answered to the front of its tier. */
  promote(url: string): void {
    for (const tier of this.#tiers) {
      const at = tier.indexOf(url);
      if (at > 0) tier.unshift(...tier.splice(at, 1));
    }
  }
}
