// The pages for programs that look after a tracker: `/stats`, `/stats/history`, `/metrics`, `/healthz`.

import { fromLatin1, utf8 } from '../../../base/bytes.ts';
import type { RequestHead } from '../http/http-head.ts';
import type { HttpReplies } from '../http/http-replies.ts';
import type { PageReply } from '../http/pages.ts';
import { isPath } from '../http/path-key.ts';
import type { Trust } from '../trust.ts';
import type { Status } from './status.ts';

const STATS = fromLatin1('/stats');
const HISTORY = fromLatin1('/stats/history');
const METRICS = fromLatin1('/metrics');
const HEALTH = fromLatin1('/healthz');

const JSON_HEAD = 'Content-Type: application/json\r\nCache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\n';
const METRICS_HEAD = 'Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n';

/** Who may fetch `/metrics`: everybody, this machine and private networks, nobody. */
export type MetricsAccess = 'all' | 'local' | 'off';

export interface StatusRoutesOptions {
  readonly status: Status;
  readonly trust: Trust;
  readonly metrics: MetricsAccess;
}

export class StatusRoutes {
  readonly #options: StatusRoutesOptions;
  /** The reply of the step: however often it is asked for, it is made once. */
  #history: PageReply | null = null;
  #historySteps = -1;

  constructor(options: StatusRoutesOptions) {
    this.#options = options;
  }

  /** Adds the reply; false where the path is none of these: then nothing was added. */
  answer(bytes: Uint8Array, head: RequestHead, source: Uint8Array, replies: HttpReplies): boolean {
    const { status, metrics } = this.#options;
    if (isPath(bytes, head, STATS)) replies.text(head, 200, 'json', JSON.stringify(status.stats()));
    else if (isPath(bytes, head, HISTORY)) replies.page(head, this.#historyReply());
    else if (isPath(bytes, head, HEALTH)) {
      const { isWell, text } = status.health();
      replies.text(head, isWell ? 200 : 503, 'text', `${text}\n`);
    } else if (metrics !== 'off' && isPath(bytes, head, METRICS)) this.#metrics(bytes, head, source, replies);
    else return false;
    return true;
  }

  #metrics(bytes: Uint8Array, head: RequestHead, source: Uint8Array, replies: HttpReplies): void {
    const { status, trust, metrics } = this.#options;
    if (metrics === 'all' || trust.isLocal(bytes, head, source)) {
      replies.page(head, reply(METRICS_HEAD, utf8(status.metrics())));
    } else
      replies.text(head, 403, 'text', 'metrics are for this machine and private networks (--metrics all opens them)\n');
  }

  #historyReply(): PageReply {
    const { status } = this.#options;
    const steps = status.historySteps;
    if (this.#history === null || this.#historySteps !== steps) {
      this.#history = reply(JSON_HEAD, utf8(JSON.stringify(status.history())));
      this.#historySteps = steps;
    }
    return this.#history;
  }
}

function reply(head: string, body: Uint8Array): PageReply {
  return { head: fromLatin1(`HTTP/1.1 200 OK\r\n${head}Content-Length: ${body.length}`), body };
}
