import { describe, expect, it } from 'vitest';
import { FakeApi, QUIET } from '../test/fake-api.ts';
import { Poll, type PollWorld } from './poll.ts';
import { ApiFault } from './tracker-api.ts';

/** Time that a test moves, and a page that it shows and hides. */
class FakeWorld implements PollWorld {
  ms = 0;
  visible = true;
  timer: { atMs: number; act: () => void } | null = null;
  watcher: (() => void) | null = null;

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, act: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, act };
    this.timer = timer;
    return () => {
      if (this.timer === timer) this.timer = null;
    };
  }

  isVisible(): boolean {
    return this.visible;
  }

  onVisibility(act: () => void): () => void {
    this.watcher = act;
    return () => {
      this.watcher = null;
    };
  }

  show(visible: boolean): void {
    this.visible = visible;
    this.watcher?.();
  }

  /** Promises that are settled have been heard of after this. */
  async pass(ms: number): Promise<void> {
    this.ms += ms;
    const due = this.timer !== null && this.timer.atMs <= this.ms ? this.timer : null;
    if (due !== null) {
      this.timer = null;
      due.act();
    }
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

function setting(goesOn: (fault: Error) => boolean = () => true): {
  api: FakeApi;
  world: FakeWorld;
  poll: Poll<unknown>;
} {
  const api = new FakeApi();
  const world = new FakeWorld();
  return { api, world, poll: new Poll(() => api.stats(), 2000, goesOn, world) };
}

describe('asking again and again', () => {
  it('asks at once, and then so often', async () => {
    const { api, world, poll } = setting();
    const end = poll.start();
    await world.pass(0);
    expect(poll.answer.value).toEqual({ value: QUIET, atMs: 0 });
    await world.pass(1999);
    expect(api.asked).toHaveLength(1);
    await world.pass(1);
    expect(api.asked).toHaveLength(2);
    expect(poll.answer.value?.atMs).toBe(2000);
    end();
  });

  it('asks nothing while nobody looks, and at once when somebody does', async () => {
    const { api, world, poll } = setting();
    const end = poll.start();
    await world.pass(0);
    world.show(false);
    await world.pass(60_000);
    expect(api.asked).toHaveLength(1);
    world.show(true);
    await world.pass(0);
    expect(api.asked).toHaveLength(2);
    end();
  });

  it('keeps the last answer while there is a fault, and goes on', async () => {
    const { api, world, poll } = setting();
    const end = poll.start();
    await world.pass(0);
    api.fault = new ApiFault('OFFLINE', 'gone');
    await world.pass(2000);
    expect([poll.fault.value, poll.answer.value?.atMs]).toEqual([api.fault, 0]);
    api.fault = null;
    await world.pass(2000);
    expect([poll.fault.value, poll.answer.value?.atMs]).toEqual([null, 4000]);
    end();
  });

  it('waits to be told after a fault that it is not to go on from', async () => {
    const { api, world, poll } = setting((fault) => fault instanceof ApiFault && fault.code === 'OFFLINE');
    api.fault = new ApiFault('TOKEN_REFUSED', 'no');
    const end = poll.start();
    await world.pass(0);
    await world.pass(60_000);
    expect(api.asked).toHaveLength(1);
    api.fault = null;
    poll.again();
    await world.pass(0);
    await world.pass(2000);
    expect([poll.fault.value, api.asked.length]).toEqual([null, 3]);
    end();
  });

  it('has one question on its way, and after the end none', async () => {
    const world = new FakeWorld();
    let asked = 0;
    let answer: (value: number) => void = () => undefined;
    const ask = (): Promise<number> => {
      asked++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const poll = new Poll(ask, 2000, undefined, world);
    const end = poll.start();
    poll.again();
    world.show(true);
    expect(asked).toBe(1);
    end();
    answer(1);
    await world.pass(10_000);
    expect([asked, poll.answer.value, world.timer, world.watcher]).toEqual([1, null, null, null]);
  });
});
