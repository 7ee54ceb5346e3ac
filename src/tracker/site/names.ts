// Names that people give to users and tokens, and the clock and chance that the site's parts are handed.

import { ShoalError } from '../../base/errors.ts';

/** What the parts of a site need of the world. */
export interface SiteWorld {
  /** Milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
  /** So many random bytes that nobody can guess. */
  randomBytes(length: number): Uint8Array;
}

/** Users and tokens at most: all tokens are compared with, all users are listed. */
export const MAX_TOKENS = 1000;
export const MAX_USERS = 1_000_000;

/** Letters, digits and `._@-`: fits a URL, a command line and a log. REQUEST_INVALID for any other. */
export function checkName(name: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}._@-]{0,63}$/u.test(name)) return name;
  throw new ShoalError(
    'REQUEST_INVALID',
    'a name has 1 to 64 letters, digits or . _ @ -, and begins with a letter or digit',
  );
}

export function nowSeconds(world: SiteWorld): number {
  return Math.floor(world.nowMs() / 1000);
}
