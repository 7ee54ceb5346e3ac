import { describe, expect, it } from 'vitest';
import { newSimWorld } from '../../../test/contract/sim-world.ts';
import { Address } from '../../base/address.ts';
import { silentLog } from '../../ports/log.ts';
import type { AnnounceReply, AnnounceRequest } from '../protocol/announce.ts';
import { Announcer, type AnnouncerOptions } from './announcer.ts';
import { TrackerError } from './tracker-error.ts';

type Behaviour = 'ok' | 'refuse' | 'hang' | 'never' | { afterMs: number };

/** Trackers that behave as told, and remember what they were told. */
function setUp(tiers: string[][], options: Partial<AnnouncerOptions> = {}, intervalS = 600) {
  const world = newSimWorld();
  const { clock, random } = world.addHost().env;
  const behaviour = new Map<string, Behaviour>();
  const told: string[] = [];
  const peers: string[] = [];
  const requests: AnnounceRequest[] = [];
  const progress = { uploaded: 0, downloaded: 0, left: 100 };
  let asking = 0;
  const reply: AnnounceReply = {
    intervalS,
    minIntervalS: null,
    trackerId: 'id',
    seeds: 1,
    leeches: 2,
    peers: [Address.parse('10.0.0.9:1')!],
    warning: null,
    externalIp: null,
  };
  const announce = async (url: string, request: AnnounceRequest, signal: AbortSignal): Promise<AnnounceReply> => {
    told.push(`${url} ${request.event}`);
    requests.push(request);
    const how = behaviour.get(url) ?? 'ok';
    if (how === 'refuse') throw new TrackerError('no');
    if (how === 'never') throw new TrackerError('no', Number.POSITIVE_INFINITY);
    if (how === 'ok') return reply;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      if (how !== 'hang') clock.after(how.afterMs, () => resolve(reply));
    });
  };
  const announcer = new Announcer({
    client: {
      announce: (url, request, { signal }) => {
        asking++;
        return announce(url, request, signal).finally(() => asking--);
      },
    },
    clock,
    random,
    log: silentLog,
    infoHash: new Uint8Array(20),
    peerId: new Uint8Array(20),
    tiers,
    everyTracker: false,
    key: 1,
    port: () => 6881,
    progress: () => progress,
    wantsPeers: () => false,
    takesPeers: () => false,
    onPeers: (some, tracker) => peers.push(`${tracker} ${some.join()}`),
    ...options,
  });
  const take = (): string[] => told.splice(0);
  return { world, behaviour, take, peers, requests, progress, announcer, asking: () => asking };
}

describe('an announcer', () => {
  it('says started first, then announces in intervals, and brings the peers', async () => {
    const { world, announcer, take, peers, requests } = setUp([['a']]);
    announcer.start();
    await world.advance(0);
    expect(take()).toEqual(['a started']);
    expect(peers).toEqual(['a 10.0.0.9:1']);
    await world.advance(590_000);
    expect(take()).toEqual([]);
    await world.advance(45_000);
    expect(take()).toEqual(['a none']);
    expect(requests[1]).toMatchObject({ trackerId: 'id', port: 6881, left: 100 });
    announcer.close();
    expect(world.leaks()).toEqual([]);
  });

  it('goes on to the next tracker when one fails, and to the next tier when all of one failed', async () => {
    const { world, announcer, take, behaviour } = setUp([['a', 'b'], ['c'], ['d']]);
    behaviour.set('a', 'refuse').set('b', 'refuse');
    announcer.start();
    await world.advance(0);
    const asked = take();
    expect(asked.slice(0, 2).sort()).toEqual(['a started', 'b started']);
    expect(asked.slice(2)).toEqual(['c started']);
    expect(
      announcer
        .snapshot()
        .map(({ url, state }) => `${url} ${state}`)
        .sort(),
    ).toEqual(['a failed', 'b failed', 'c working', 'd unused']);
    // With the next interval the first tier has its chance again, and one that answers moves up in it.
    behaviour.set('b', 'ok');
    await world.advance(630_000);
    expect(take().at(-1)).toBe('b started');
    expect(announcer.snapshot()[0]).toMatchObject({ url: 'b', state: 'working', seeds: 1, leeches: 2, peers: 1 });
    announcer.close();
  });

  it('asks the next tracker meanwhile when one hangs', async () => {
    const { world, announcer, take, behaviour, peers } = setUp([['a'], ['b']]);
    behaviour.set('a', { afterMs: 10_000 });
    announcer.start();
    await world.advance(2000);
    expect(take()).toEqual(['a started']);
    await world.advance(1000);
    expect(take()).toEqual(['b started']);
    expect(announcer.snapshot()[0]).toMatchObject({ url: 'a', state: 'asking' });
    await world.advance(10_000);
    expect(peers).toHaveLength(2);
    // Both know us now: both hear the end.
    behaviour.clear();
    await world.run(announcer.stop(1000));
    expect(take().sort()).toEqual(['a stopped', 'b stopped']);
  });

  it('tries again with longer and longer pauses when all fail', async () => {
    const { world, announcer, take, behaviour } = setUp([['a'], ['b']]);
    behaviour.set('a', 'refuse').set('b', 'refuse');
    announcer.start();
    await world.advance(120_000);
    const asked = take();
    expect(asked.length).toBeGreaterThanOrEqual(6);
    expect(asked.length).toBeLessThanOrEqual(14);
    expect(new Set(asked)).toEqual(new Set(['a started', 'b started']));
    behaviour.delete('b');
    await world.advance(120_000);
    expect(announcer.snapshot()[1]).toMatchObject({ url: 'b', state: 'working', lastError: null });
    announcer.close();
  });

  it('leaves a tracker alone that never wants to be asked again', async () => {
    const { world, announcer, take, behaviour } = setUp([['a']]);
    behaviour.set('a', 'never');
    announcer.start();
    await world.advance(24 * 3600_000);
    expect(take()).toEqual(['a started']);
    expect(announcer.snapshot()[0]).toMatchObject({ state: 'failed', lastError: 'no', nextInMs: null });
    announcer.close();
  });

  it('always tells every tracker of an .mtorrent', async () => {
    const { world, announcer, take, behaviour } = setUp([['a'], ['b']], { everyTracker: true });
    announcer.start();
    await world.advance(0);
    expect(take().sort()).toEqual(['a started', 'b started']);
    behaviour.set('a', 'hang');
    await world.advance(640_000);
    expect(take().sort()).toEqual(['a none', 'b none']);
    announcer.close();
  });

  it('says completed once, at once, to the trackers that were told before', async () => {
    const { world, announcer, take, progress } = setUp([['a'], ['b']]);
    announcer.start();
    await world.advance(0);
    take();
    progress.left = 0;
    announcer.completed();
    await world.advance(0);
    expect(take()).toEqual(['a completed']);
    await world.advance(640_000);
    expect(take()).toEqual(['a none']);
    announcer.close();
  });

  it('says completed again where it did not get through, and after a started that is under way', async () => {
    const { world, announcer, take, behaviour } = setUp([['a']]);
    behaviour.set('a', { afterMs: 100 });
    announcer.start();
    announcer.completed();
    behaviour.set('a', 'refuse');
    await world.advance(1000);
    expect(take()).toEqual(['a started', 'a completed']);
    behaviour.set('a', 'ok');
    await world.advance(20_000);
    expect(take()).toEqual(['a completed']);
    announcer.close();
  });

  it('goes on to the next tracker at once when completed cannot be said', async () => {
    const { world, announcer, take, behaviour, progress } = setUp([['a'], ['b']]);
    announcer.start();
    await world.advance(0);
    expect(take()).toEqual(['a started']);
    behaviour.set('a', 'refuse');
    progress.left = 0;
    announcer.completed();
    await world.advance(100);
    expect(take()).toEqual(['a completed', 'b started']);
    announcer.close();
    expect(world.leaks()).toEqual([]);
  });

  it('does not say completed to a tracker that hears started after completion', async () => {
    const { world, announcer, take, behaviour } = setUp([['a']]);
    behaviour.set('a', 'refuse');
    announcer.start();
    await world.advance(0);
    announcer.completed();
    behaviour.set('a', 'ok');
    await world.advance(30_000);
    expect(take()).toEqual(['a started', 'a started']);
    announcer.close();
  });

  it('asks for more peers as soon as the tracker allows', async () => {
    const { world, announcer, take, requests } = setUp([['a']], { wantsPeers: () => true, takesPeers: () => true });
    announcer.start();
    await world.advance(100_000);
    expect(take()).toEqual(['a started', 'a none', 'a none']);
    expect(requests[0]!.numWant).toBe(100);
    announcer.close();
    const calm = setUp([['a']]);
    calm.announcer.start();
    await calm.world.advance(100_000);
    expect(calm.take()).toEqual(['a started']);
    expect(calm.requests[0]!.numWant).toBe(0);
    calm.announcer.moreSoon();
    await calm.world.advance(1000);
    expect(calm.take()).toEqual(['a none']);
    calm.announcer.close();
  });

  it('takes peers without asking for them more often', async () => {
    const { world, announcer, take, requests } = setUp([['a']], { takesPeers: () => true });
    announcer.start();
    await world.advance(100_000);
    expect(take()).toEqual(['a started']);
    expect(requests[0]!.numWant).toBe(100);
    announcer.close();
  });

  it('says stopped to whom it may have told, within the time it is given, and then nothing more', async () => {
    const { world, announcer, take, behaviour, peers, asking } = setUp([['a'], ['b'], ['c']], { everyTracker: true });
    behaviour.set('b', 'refuse').set('c', 'hang');
    announcer.start();
    await world.advance(0);
    take();
    peers.length = 0;
    const start = world.nowMs;
    await world.run(announcer.stop(2000));
    expect(world.nowMs - start).toBe(2000);
    expect(take().sort()).toEqual(['a stopped', 'c stopped']);
    await world.advance(3600_000);
    expect(take()).toEqual([]);
    expect(peers).toEqual([]);
    expect(asking()).toBe(0);
    expect(world.leaks()).toEqual([]);
  });

  it('that is closed ends what is under way and calls nobody', async () => {
    const { world, announcer, take, behaviour, peers, asking } = setUp([['a'], ['b']]);
    behaviour.set('a', { afterMs: 1000 });
    announcer.start();
    announcer.close();
    await world.advance(3600_000);
    expect(take()).toEqual(['a started']);
    expect(peers).toEqual([]);
    expect(asking()).toBe(0);
    announcer.completed();
    announcer.moreSoon();
    await world.run(announcer.stop(1000));
    expect(take()).toEqual([]);
  });

  it('without trackers does nothing', async () => {
    const { world, announcer } = setUp([]);
    announcer.start();
    announcer.moreSoon();
    announcer.completed();
    await world.run(announcer.stop(1000));
    expect(announcer.snapshot()).toEqual([]);
    expect(world.leaks()).toEqual([]);
  });
});
