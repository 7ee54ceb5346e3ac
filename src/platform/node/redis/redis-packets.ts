// What the script of redis-script.ts is asked and answers, many steps in one string each.
//
//   asked     since 8 | keep, ms 8 | completions known 4 | length 4 | changes     (floating-point numbers, big-endian, like all)
//   answered  cursor 8 | completions 4 | status: 0, 1 there is more, 2 failed 1 | length 4 | changes, or why it failed

import { ShoalError } from '../../../base/errors.ts';
import type { SwarmAnswer, SwarmExchange } from '../../../ports/swarm-store.ts';

const ASKED_HEAD = 24;
const ANSWERED_HEAD = 17;
const MORE = 1;
const FAILED = 2;
/** What a key alone is to blame for. All else (memory that is used up, rights, a replica) concerns every swarm. */
const OF_ONE_KEY = 'WRONGTYPE';

/** The requests of a command, one after the other. */
export function packExchanges(requests: readonly SwarmExchange[]): Buffer {
  let length = 0;
  for (const { changes } of requests) length += ASKED_HEAD + changes.length;
  const packed = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { since, keepMs, completed, changes } of requests) {
    packed.writeDoubleBE(since, at);
    packed.writeDoubleBE(Math.round(keepMs), at + 8);
    packed.writeUInt32BE(completed, at + 16);
    packed.writeUInt32BE(changes.length, at + 20);
    packed.set(changes, at + ASKED_HEAD);
    at += ASKED_HEAD + changes.length;
  }
  return packed;
}

/** The answers to `count` requests, in their order; an Error for a step that failed. Their bytes are those of `packed`. Throws for what is no answer. */
export function unpackAnswers(packed: unknown, count: number): readonly (SwarmAnswer | Error)[] {
  if (!Buffer.isBuffer(packed)) throw new Error('the store answered something else');
  const answers: (SwarmAnswer | Error)[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const from = at + ANSWERED_HEAD;
    const length = from > packed.length ? 0 : packed.readUInt32BE(at + 13);
    if (from + length > packed.length) throw new Error('the answer of the store is broken off');
    const status = packed[at + 12]!;
    const changes = packed.subarray(from, from + length);
    if (status === FAILED) answers.push(stepError(changes.toString()));
    else {
      const [cursor, completed] = [packed.readDoubleBE(at), packed.readUInt32BE(at + 8)];
      answers.push({ cursor, completed, more: status === MORE, changes });
    }
    at = from + length;
  }
  return answers;
}

function stepError(why: string): Error {
  return why.includes(OF_ONE_KEY) ? new ShoalError('SWARM_REFUSED', why) : new Error(why);
}
