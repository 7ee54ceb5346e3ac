// A tracker that was reached and said no.

import { ShoalError } from '../../base/errors.ts';

/** TRACKER_FAILED, with when the tracker may be asked again. */
export class TrackerError extends ShoalError {
  /** Seconds (BEP 31); Infinity: never again; null: the tracker does not say. */
  readonly retryInS: number | null;

  constructor(reason: string, retryInS: number | null = null) {
    super('TRACKER_FAILED', reason);
    this.retryInS = retryInS;
  }
}
