import type { RedisArgument } from 'redis';
import { ErrorReply } from 'redis';
import { describe, expect, it } from 'vitest';
import type { SwarmAnswer } from '../../../ports/swarm-store.ts';
import { RedisLane } from './redis-lane.ts';

const KEY = Buffer.from('key');

/** What the script answers to the keys of a command: each is done. */
function done(args: readonly RedisArgument[]): Buffer {
  return Buffer.alloc(17 * Number(args[2]));
}

function ask(lane: RedisLane, count: number): Promise<readonly PromiseSettledResult<SwarmAnswer>[]> {
  const request = {
    infoHash: new Uint8Array(20),
    changes: new Uint8Array(3),
    since: 0,
    completed: 0,
    keepMs: 1,
    isUrgent: false,
  };
  return Promise.allSettled(Array.from({ length: count }, () => lane.exchange(request, KEY)));
}

/** A lane, and the keys of each of its commands; `answer` throws or answers. */
function laneOf(
  answer: (args: readonly RedisArgument[]) => unknown,
  isSingle = false,
): { lane: RedisLane; sent: string[] } {
  const sent: string[] = [];
  const send = async (_key: Buffer, args: RedisArgument[]): Promise<unknown> => {
    sent.push(`${String(args[0])} ${String(args[2])}`);
    return answer(args);
  };
  return { lane: new RedisLane(send, isSingle), sent };
}

describe('exchanges of one turn', () => {
  it('go together, so many a command', async () => {
    const { lane, sent } = laneOf(done);
    const settled = await ask(lane, 40);
    expect(settled.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(sent).toEqual(['EVALSHA 16', 'EVALSHA 16', 'EVALSHA 8']);
  });

  it('go one by one where keys lie on different servers, as told or found out', async () => {
    const told = laneOf(done, true);
    await ask(told.lane, 3);
    expect(told.sent).toEqual(['EVALSHA 1', 'EVALSHA 1', 'EVALSHA 1']);
    const found = laneOf((args) => {
      if (args[2] !== '1') throw new ErrorReply("CROSSSLOT Keys in request don't hash to the same slot");
      return done(args);
    });
    for (let turn = 0; turn < 2; turn++) {
      expect((await ask(found.lane, 2)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    }
    expect(found.sent).toEqual(['EVALSHA 2', 'EVALSHA 1', 'EVALSHA 1', 'EVALSHA 1', 'EVALSHA 1']);
  });

  it('bring the script where it is not known, and fail together where the command does', async () => {
    const { lane, sent } = laneOf((args) => {
      if (args[0] === 'EVALSHA') throw new ErrorReply('NOSCRIPT No matching script');
      return done(args);
    });
    expect((await ask(lane, 2)).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(sent).toEqual(['EVALSHA 2', 'EVAL 2']);
    const broken = laneOf(() => Buffer.alloc(20));
    expect((await ask(broken.lane, 2)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
