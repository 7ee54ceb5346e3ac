import { describe, expect, it } from 'vitest';
import { ChangeFeed } from './change-feed.ts';
import { Gate } from './gate.ts';
import { Scope } from './scope.ts';

describe('a scope', () => {
  it('aborts first, then closes last in first out, once', async () => {
    const scope = new Scope();
    const order: string[] = [];
    scope.signal.addEventListener('abort', () => order.push('abort'));
    scope.add(() => void order.push('first'));
    scope.add(async () => void order.push('second'));
    const forget = scope.add(() => void order.push('forgotten'));
    forget();
    await Promise.all([scope.close(), scope.close()]);
    expect(order).toEqual(['abort', 'second', 'first']);
    scope.add(() => void order.push('late'));
    expect(order.at(-1)).toBe('late');
  });

  it('closes the rest when one fails, and tells the first failure', async () => {
    const scope = new Scope();
    let closed = false;
    scope.add(() => {
      closed = true;
    });
    scope.add(() => Promise.reject(new Error('two')));
    scope.add(() => {
      throw new Error('three');
    });
    await expect(scope.close()).rejects.toThrow('three');
    expect(closed).toBe(true);
  });
});

describe('a gate', () => {
  it('is decided once', async () => {
    const gate = new Gate<number>();
    const waiting = gate.wait();
    gate.open(1);
    gate.fail(new Error('too late'));
    expect(await waiting).toBe(1);
    expect([gate.isOpen, gate.isDecided]).toEqual([true, true]);
  });

  it('lets one waiter go without touching the others', async () => {
    const gate = new Gate<number>();
    const controller = new AbortController();
    const impatient = gate.wait({ signal: controller.signal });
    const patient = gate.wait({ signal: new AbortController().signal });
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    gate.open(2);
    expect(await patient).toBe(2);
    await expect(gate.wait({ signal: controller.signal })).rejects.toThrow('enough');
  });
});

describe('a feed of changes', () => {
  it('gives every listener what came after it began, and ends when closed', async () => {
    const feed = new ChangeFeed<{ kind: 'n'; n: number }>();
    const heard: unknown[] = [];
    const listening = (async () => {
      for await (const change of feed.listen({ signal: new AbortController().signal })) heard.push(change);
    })();
    await Promise.resolve();
    for (let n = 0; n < 3; n++) feed.tell({ kind: 'n', n });
    feed.close();
    await listening;
    expect(heard).toEqual([0, 1, 2].map((n) => ({ kind: 'n', n })));
  });

  it('says how much a slow listener has lost', async () => {
    const feed = new ChangeFeed<{ kind: 'n' }>();
    const loop = feed.listen({ signal: new AbortController().signal });
    const first = loop.next();
    for (let i = 0; i < 1500; i++) feed.tell({ kind: 'n' });
    feed.close();
    let last = (await first).value;
    for await (const change of loop) last = change;
    expect(last).toEqual({ kind: 'lagged', missed: 500 });
  });

  it('an abort ends the loop', async () => {
    const feed = new ChangeFeed<{ kind: 'n' }>();
    const controller = new AbortController();
    const loop = feed.listen({ signal: controller.signal }).next();
    controller.abort();
    expect((await loop).done).toBe(true);
  });
});
