// Who calls the API, and what one is told who tries too often.

import type { Context } from 'hono';
import { ShoalError } from '../../base/errors.ts';

/** Who sends a request. */
export interface Caller {
  /** For the limit on wrong tokens. */
  readonly address: string;
  /** The owner of the state folder: needs no token. */
  readonly isOwner: boolean;
}

export interface ApiEnv {
  readonly Bindings: Caller;
}

export type ApiContext = Context<ApiEnv>;

/** TOO_MANY_REQUESTS, and for how long. */
export class RetryLater extends ShoalError {
  readonly seconds: number;

  constructor(seconds: number) {
    super('TOO_MANY_REQUESTS', `too many wrong tokens from your address: wait ${seconds} seconds`);
    this.name = 'RetryLater';
    this.seconds = seconds;
  }
}
