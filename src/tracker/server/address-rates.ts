// How often an address asks for something: a bucket of tokens each, in a table of fixed size. Where two addresses meet in
// a place the later one begins with a full bucket: nobody is refused for what another asks.

const PLACES = 1 << 14;
/** A client that starts with all its torrents announces and scrapes each of them at once. */
const BURST_S = 20;

export class AddressRates {
  readonly #perSecond: number;
  readonly #owners = new Uint32Array(PLACES);
  readonly #tokens = new Float32Array(PLACES);
  readonly #times = new Float64Array(PLACES);

  /** `perSecond`: requests of an address, in the long run. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts a request of the address with this hash, or one that costs as much as several; false where it is too many. */
  allows(address: number, nowS: number, cost = 1): boolean {
    const place = address & (PLACES - 1);
    const full = this.#perSecond * BURST_S;
    let tokens = full;
    if (this.#owners[place] === address) {
      tokens = Math.min(full, this.#tokens[place]! + (nowS - this.#times[place]!) * this.#perSecond);
    }
    this.#owners[place] = address;
    this.#times[place] = nowS;
    const needed = Math.min(cost, full);
    this.#tokens[place] = tokens >= needed ? tokens - needed : tokens;
    return tokens >= needed;
  }
}
