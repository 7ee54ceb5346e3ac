// How many requests to keep out to one peer: enough that it never waits for us, not so many that blocks lie in its queue.
//
// A queue as long as rate x round trip keeps a connection full. The round trip is seen best by a request that goes out
// while none is out; later ones wait behind each other in the peer and show only our own queue.

/** With fewer requests out, the peer waits for us whenever the block just sent was the last it was asked for. */
const MIN_REQUESTS = 4;
/** 16 MiB are out at most, which is 16 ms at 1 GB/s; more would cost memory for slots, and gain no rate. */
const MAX_REQUESTS = 1024;
/**
 * Time that the queue covers beyond the round trip: peers that keep to a rate limit send in bursts, up to 100 ms apart,
 * and event loops run late. Short, because blocks queued at one peer cannot be got from another that becomes free.
 */
const SLACK_MS = 250;
/** A peer slower to answer than this is not helped by an even longer queue. */
const MAX_HORIZON_MS = 4000;
/** While the rate grew by this factor since the last look, a longer queue may make it grow more. */
const GROWTH = 1.1;
/** Time between looks at the rate; shorter ones see bursts, not rates. */
const LOOK_MS = 200;
/** Looks without growth that end the slow start: one alone may be a hiccup. */
const FLAT_LOOKS = 2;
/**
 * A queue through which a request takes so much longer than the shortest delay is long enough, and ends it too: with a remote
 * that sends lumps every second look shows growth.
 */
const LONG_QUEUE_MS = 500;
/**
 * The rate is averaged over about so long. A remote that saves up its allowance and sends a lump now and then (libtorrent
 * with a limit and large buffers) would else be asked for lumps as large as it can send, and larger ones the next time.
 */
const AVERAGE_MS = 1000;
/** Looks after which the round trip is judged again. */
const JUDGE_LOOKS = 25;
/** Delays vary: this much longer than expected is longer. */
const DELAY_MARGIN = 1.25;
const DELAY_DECAY = 0.9;
/** A queue that was this many times as long as is needed now says nothing of the round trip: the time was spent in it. */
const DRAIN = 1.5;

const BLOCK_BYTES = 16384;

/**
 * Depth of the request queue of one peer. Tell it every request (`onRequest`), every block and every lost request;
 * call `onTick` about once a second; keep `target` requests out.
 *
 * It starts small and adds one request a block, which doubles the queue every round trip, until the rate stops growing;
 * from then on the queue is rate x (round trip + slack).
 */
export class Pipeline {
  /** How many requests should be out now. */
  target: number = MIN_REQUESTS;
  #limit: number = MAX_REQUESTS;
  #outstanding = 0;
  #slowStart = true;
  #flatLooks = 0;
  #bytesPerMs = 0;
  #lookMs = Number.NaN;
  #lookBytes = 0;
  /** The shortest delay seen; only a request sent into an empty queue shows it rightly. */
  #delayMs = Number.POSITIVE_INFINITY;
  /** The shortest delay since the round trip was last judged. */
  #recentDelayMs = Number.POSITIVE_INFINITY;
  #looks = 0;
  /** The request whose delay is being measured: when it was sent, and how many blocks come up to and with it. */
  #probeMs = Number.NaN;
  #probeBlocks = 0;
  /** How many were out with it when it was sent. */
  #probeDepth = 0;
  /** Since when nothing is out. */
  #idleMs = Number.NEGATIVE_INFINITY;

  get outstanding(): number {
    return this.#outstanding;
  }

  /** How many requests may go out now. */
  get room(): number {
    return Math.max(0, this.target - this.#outstanding);
  }

  /**
   * How many requests should be out when all that is still to be asked for of anybody is asked for in `leftMs`: the queue covers no
   * longer beyond the round trip, so that at the end little waits at peers that happen to be late.
   */
  targetFor(leftMs: number): number {
    if (this.#slowStart || leftMs === Number.POSITIVE_INFINITY) return this.target;
    const delayMs = Number.isFinite(this.#delayMs) ? this.#delayMs : 0;
    const requests = MIN_REQUESTS + Math.ceil((this.#bytesPerMs * (delayMs + leftMs)) / BLOCK_BYTES);
    return Math.min(this.target, requests);
  }

  /** Bytes a second as last seen by this pipeline. */
  get bytesPerSecond(): number {
    return this.#bytesPerMs * 1000;
  }

  /** The most requests that may be out: what the remote queues (`reqq` of BEP 10), or less. At least 1. */
  setLimit(requests: number): void {
    this.#limit = Math.max(1, Math.min(MAX_REQUESTS, requests));
    this.target = Math.min(this.target, this.#limit);
  }

  /** Requests went out. */
  onRequest(count: number, nowMs: number): void {
    if (this.#outstanding === 0) {
      this.#startProbe(1, nowMs);
      // time in which nothing was asked for says nothing about the rate
      if (nowMs - this.#idleMs >= LOOK_MS) {
        this.#lookMs = nowMs;
        this.#lookBytes = 0;
      }
    } else if (Number.isNaN(this.#probeMs)) {
      this.#startProbe(this.#outstanding + 1, nowMs);
    }
    this.#outstanding += count;
  }

  /** A block came that had been asked for. */
  onBlock(nowMs: number, bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - 1);
    if (this.#outstanding === 0) this.#idleMs = nowMs;
    this.#lookBytes += bytes;
    if (this.#probeBlocks > 0 && --this.#probeBlocks === 0) this.#endProbe(nowMs);
    if (this.#slowStart && this.target < this.#limit) this.target++;
    this.#look(nowMs);
  }

  /** Requests will not be answered: rejected, given up, cancelled. */
  onLost(count: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - count);
    this.#probeMs = Number.NaN;
    this.#probeBlocks = 0;
  }

  /** The peer choked us: all requests are lost, and the next unchoke starts anew. */
  reset(): void {
    this.onLost(this.#outstanding);
    this.#slowStart = true;
    this.#flatLooks = 0;
    this.#bytesPerMs = 0;
    this.#lookMs = Number.NaN;
    this.#delayMs = Number.POSITIVE_INFINITY;
    this.#recentDelayMs = Number.POSITIVE_INFINITY;
    this.target = Math.min(MIN_REQUESTS, this.#limit);
  }

  /** Lets the queue shrink also when nothing comes. */
  onTick(nowMs: number): void {
    if (this.#outstanding > 0) this.#look(nowMs);
  }

  #startProbe(blocks: number, nowMs: number): void {
    this.#probeMs = nowMs;
    this.#probeBlocks = blocks;
    this.#probeDepth = blocks;
  }

  #endProbe(nowMs: number): void {
    const delayMs = nowMs - this.#probeMs;
    this.#delayMs = this.#probeDepth === 1 ? delayMs : Math.min(this.#delayMs, delayMs);
    // the remote got much slower meanwhile: the delay was spent in a queue that is gone
    if (this.#probeDepth <= this.target * DRAIN) this.#recentDelayMs = Math.min(this.#recentDelayMs, delayMs);
    this.#probeMs = Number.NaN;
    if (delayMs > this.#delayMs + LONG_QUEUE_MS) this.#slowStart = false;
  }

  #look(nowMs: number): void {
    const elapsedMs = nowMs - this.#lookMs;
    if (Number.isNaN(elapsedMs)) this.#lookMs = nowMs;
    if (!(elapsedMs >= LOOK_MS)) return;
    const rate = this.#lookBytes / elapsedMs;
    this.#lookMs = nowMs;
    this.#lookBytes = 0;
    const grows = this.#slowStart && rate > this.#bytesPerMs;
    if (this.#slowStart) this.#judgeGrowth(rate);
    this.#bytesPerMs = grows
      ? rate
      : this.#bytesPerMs + ((rate - this.#bytesPerMs) * elapsedMs) / (elapsedMs + AVERAGE_MS);
    if (++this.#looks >= JUDGE_LOOKS) this.#judgeDelay();
    if (!this.#slowStart) this.target = this.#depth();
  }

  #judgeGrowth(rate: number): void {
    this.#flatLooks = rate > this.#bytesPerMs * GROWTH ? 0 : this.#flatLooks + 1;
    if (this.#flatLooks >= FLAT_LOOKS) this.#slowStart = false;
  }

  /**
   * When for seconds every delay was longer than the queue accounts for, the round trip itself has grown. Else it is
   * taken for a little shorter each time, so that a wrong judgement mends itself.
   */
  #judgeDelay(): void {
    const recentMs = this.#recentDelayMs;
    const tooLong = Number.isFinite(recentMs) && recentMs > this.#horizonMs() * DELAY_MARGIN;
    this.#delayMs = tooLong ? recentMs : this.#delayMs * DELAY_DECAY;
    this.#recentDelayMs = Number.POSITIVE_INFINITY;
    this.#looks = 0;
  }

  #horizonMs(): number {
    const delayMs = Number.isFinite(this.#delayMs) ? this.#delayMs : 0;
    return Math.min(MAX_HORIZON_MS, delayMs + Math.max(delayMs, SLACK_MS));
  }

  #depth(): number {
    const requests = Math.ceil((this.#bytesPerMs * this.#horizonMs()) / BLOCK_BYTES);
    return Math.min(this.#limit, Math.max(MIN_REQUESTS, requests));
  }
}
