import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

/** Acts that end when they are told to, and the order in which they began. */
function acts() {
  const began: string[] = [];
  const end = new Map<string, () => void>();
  const act = (name: string) => () => {
    began.push(name);
    return new Promise<string>((resolve) => {
      end.set(name, () => resolve(name));
    });
  };
  return { began, end, act };
}

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe('turns at a tracker', () => {
  it('let so many of a host go at once, who still fetches first, and hosts do not wait for each other', async () => {
    const { began, end, act } = acts();
    const turns = new Turns(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => turns.run('x', false, never, act(name)));
    const urgent = turns.run('x', true, never, act('urgent'));
    const other = turns.run('y', false, never, act('other'));
    await settled();
    expect(began).toEqual(['a', 'b', 'other']);
    end.get('b')!();
    await settled();
    end.get('urgent')!();
    await settled();
    expect(began).toEqual(['a', 'b', 'other', 'urgent', 'c']);
    for (const name of ['a', 'c', 'other']) end.get(name)!();
    await settled();
    end.get('d')!();
    expect(await Promise.all([...all, urgent, other])).toEqual(['a', 'b', 'c', 'd', 'urgent', 'other']);
  });

  it('go on when an act fails, and are left by who gives up', async () => {
    const { began, end, act } = acts();
    const turns = new Turns(1);
    const bad = turns.run('x', false, never, () => Promise.reject(new Error('refused')));
    const gone = new AbortController();
    const left = turns.run('x', false, gone.signal, act('left'));
    const last = turns.run('x', false, never, act('last'));
    gone.abort(new Error('enough'));
    await expect(bad).rejects.toThrow('refused');
    await expect(left).rejects.toThrow('enough');
    await settled();
    expect(began).toEqual(['last']);
    end.get('last')!();
    expect(await last).toBe('last');
    await expect(turns.run('x', false, gone.signal, act('late'))).rejects.toThrow('enough');
  });
});
