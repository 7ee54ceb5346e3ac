// What a thread that serves announces has of the site: it decides over them by itself, notes what users say of themselves,
// and reads the requests that are the site's, to pass them on.

import type { AccessRules, AnnounceLedger } from '../server/access.ts';
import type { OtherRequests } from '../server/http/http-connection.ts';
import { AccessGate, type AccessMemory, type AccessMode } from './access-gate.ts';
import { HttpFront } from './http-front.ts';
import { Ledger } from './ledger.ts';
import type { SiteRequest, SiteResponse } from './site-protocol.ts';

export interface SiteDeskOptions {
  readonly mode: AccessMode;
  readonly memory: AccessMemory;
  /** Bytes of one upload, and of all that are under way on this thread. */
  readonly maxUploadBytes: number;
  readonly maxBodyBytes: number;
  /** The same time on all threads. */
  nowMs(): number;
  /** Called before every decision: the tables may have been replaced. */
  look?(): void;
  fetch(request: SiteRequest): Promise<SiteResponse>;
  /** A batch of the ledger, which changes hands. */
  noted(batch: Float64Array): void;
}

const LEDGER_EVERY_MS = 2000;

export class SiteDesk {
  /** What the tracker's server takes. */
  readonly access: AccessRules;
  readonly ledger: AnnounceLedger;
  readonly others: OtherRequests;
  readonly #gate: AccessGate;
  readonly #ledger: Ledger;
  readonly #front: HttpFront;
  readonly #flushing: NodeJS.Timeout;

  constructor(options: SiteDeskOptions) {
    const { mode, memory, maxUploadBytes, maxBodyBytes, nowMs, look = () => undefined } = options;
    const gate = new AccessGate(mode, memory);
    const ledger = new Ledger((batch) => options.noted(batch));
    const front = new HttpFront({ maxUploadBytes, maxBodyBytes, fetch: (request) => options.fetch(request) });
    this.#gate = gate;
    this.#ledger = ledger;
    this.#front = front;
    this.#flushing = setInterval(() => ledger.flush(), LEDGER_EVERY_MS);
    this.access = {
      check: ({ infoHash }, key) => {
        look();
        return gate.check(infoHash, key.bytes, key.start, key.end);
      },
      checkScrape: (key) => {
        look();
        return gate.checkScrape(key.bytes, key.start, key.end);
      },
      shows: (infoHash, at) => gate.serves(infoHash, at),
    };
    this.ledger = {
      note: ({ infoHash, peerId, uploaded, downloaded, event }, key) => {
        const user = gate.userOf(key.bytes, key.start, key.end);
        if (user !== 0) ledger.note(user, infoHash, peerId, uploaded, downloaded, event, nowMs() / 1000);
      },
    };
    this.others = (stream, bytes) => front.accept(stream, bytes);
  }

  /** Goes over to other tables. */
  adopt(memory: AccessMemory): void {
    this.#gate.adopt(memory);
  }

  /** Ends the connections of the site, and hands on what was noted. */
  close(): void {
    clearInterval(this.#flushing);
    this.#front.close();
    this.#ledger.flush();
  }
}
