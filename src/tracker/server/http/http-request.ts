// A request on its way through the routes. There is one object of them a server: requests are answered one after the other, and
// none costs memory of its own.

import { EMPTY } from '../../../base/bytes.ts';
import { NOBODY, type Waiter } from '../access.ts';
import { RequestHead } from './http-head.ts';
import { HttpReplies } from './http-replies.ts';

export class HttpRequest {
  /** Lent: the request is in them, and `head` names its parts. */
  bytes: Uint8Array = EMPTY;
  /** Where the client is. */
  source: Uint8Array = EMPTY;
  /** Goes on when the request, for which there was no answer yet, is to be answered, as late. */
  waiter: Waiter = NOBODY;
  /** It has waited. */
  isLate = false;
  readonly head: RequestHead = new RequestHead();
  /** Where the answer is added. */
  readonly replies: HttpReplies = new HttpReplies();
}
