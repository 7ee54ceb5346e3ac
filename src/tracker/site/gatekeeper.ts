// Who may use the API: bearer tokens, passkeys, and addresses that tried too many wrong ones. Bearer only, no cookies: a
// page of somebody else cannot make a browser act here.

import { fromHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { AccessMode } from './access-gate.ts';
import { type ApiContext, RetryLater } from './caller.ts';
import type { SiteWorld } from './names.ts';
import type { Site } from './site.ts';
import type { Role, Token } from './tokens.ts';

/** Wrong tokens and passkeys of one address within the time; a person who mistypes needs fewer. */
const MAX_FAILURES = 10;
const FAILURES_WITHIN_MS = 60_000;
/** Addresses remembered: one who has more is not held up by this, but by 160 bits. */
const MAX_ADDRESSES = 10_000;
/** Longer than any token. */
const MAX_SECRET = 200;

/** Who called, once that is known. */
export interface Principal {
  readonly name: string;
  readonly role: Role;
}

export class Gatekeeper {
  readonly #site: Site;
  readonly #world: SiteWorld;
  readonly #mode: AccessMode;
  /** In the order in which their time began. */
  readonly #failures = new Map<string, { count: number; untilMs: number }>();

  constructor(site: Site, mode: AccessMode, world: SiteWorld) {
    this.#site = site;
    this.#mode = mode;
    this.#world = world;
  }

  /** For a route that changes something. TOKEN_REFUSED, PERMISSION, TOO_MANY_REQUESTS. */
  require(c: ApiContext, role: Role): Principal {
    const principal = this.#principalOf(c);
    if (principal === null) {
      throw new ShoalError('TOKEN_REFUSED', 'this needs a token: send the header Authorization: Bearer TOKEN');
    }
    if (role === 'admin' && principal.role !== 'admin') {
      throw new ShoalError('PERMISSION', `this needs an admin token; '${principal.name}' may publish`);
    }
    return principal;
  }

  /**
   * For a route that shows the catalogue: everybody may, but at a private tracker. Returns the passkey that was given in
   * the query (32 hex digits), for links that are made for its user. TOKEN_REFUSED, TOO_MANY_REQUESTS.
   */
  reader(c: ApiContext, passkey: string | undefined): string | null {
    if (passkey !== undefined) {
      this.#checkPatience(c);
      const bytes = fromHex(passkey.toLowerCase());
      if (bytes !== null && this.#site.users.hasPasskey(bytes)) return passkey.toLowerCase();
      this.#failed(c);
      throw new ShoalError('TOKEN_REFUSED', 'this passkey is unknown');
    }
    if (this.#mode === 'private' && this.#principalOf(c) === null) {
      throw new ShoalError('TOKEN_REFUSED', 'this tracker is private: add ?passkey=PASSKEY, or send a token');
    }
    return null;
  }

  /** Null where no token was sent. TOKEN_REFUSED for a wrong one. */
  #principalOf(c: ApiContext): Principal | null {
    if (c.env.isOwner) return { name: 'owner', role: 'admin' };
    const header = c.req.header('authorization');
    if (header === undefined) return null;
    this.#checkPatience(c);
    const secret = /^Bearer +(\S+) *$/i.exec(header.slice(0, MAX_SECRET))?.[1];
    const token = secret === undefined ? null : this.#find(secret);
    if (token !== null) return token;
    this.#failed(c);
    throw new ShoalError('TOKEN_REFUSED', 'this token is unknown, or was removed');
  }

  /** One that a command has made just now is known, too. */
  #find(secret: string): Token | null {
    const { tokens } = this.#site;
    return tokens.find(secret) ?? (this.#site.followOthers() ? tokens.find(secret) : null);
  }

  /** A right token is refused, too: whoever guesses must not learn that it was right. */
  #checkPatience(c: ApiContext): void {
    const failures = this.#failures.get(c.env.address);
    if (failures === undefined || failures.count < MAX_FAILURES) return;
    const leftMs = failures.untilMs - this.#world.nowMs();
    if (leftMs > 0) throw new RetryLater(Math.ceil(leftMs / 1000));
    this.#failures.delete(c.env.address);
  }

  #failed(c: ApiContext): void {
    const { address } = c.env;
    const nowMs = this.#world.nowMs();
    const failures = this.#failures.get(address);
    if (failures !== undefined && failures.untilMs > nowMs) {
      failures.count++;
      return;
    }
    this.#failures.delete(address);
    this.#failures.set(address, { count: 1, untilMs: nowMs + FAILURES_WITHIN_MS });
    if (this.#failures.size > MAX_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value!);
  }
}
