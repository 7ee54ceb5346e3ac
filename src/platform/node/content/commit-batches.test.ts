import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommitBatches } from './commit-batches.ts';

const MIB = 1024 * 1024;

let sent: string[];
let batches: CommitBatches<string>;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  batches = new CommitBatches<string>(
    (batch) => sent.push(batch.join('')),
    (messages) => messages >= 2,
  );
});

afterEach(() => {
  vi.useRealTimers();
});

function add(names: string, lengthBytes = MIB): void {
  for (const name of names) batches.add(name, lengthBytes);
}

describe('commits', () => {
  it('go at once while they are rare', () => {
    for (const name of 'abc') {
      add(name);
      vi.advanceTimersByTime(1000);
    }
    expect(sent).toEqual(['a', 'b', 'c']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait for each other when they come in quick succession, eight at most', () => {
    add('abcdefghijk');
    expect(sent).toEqual(['a', 'bcdefghi']);
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual(['a', 'bcdefghi', 'jk']);
  });

  it('do not wait for more memory than others can spare', () => {
    add('abcdef', 4 * MIB);
    expect(sent).toEqual(['a', 'bc', 'de']);
    add('gh', 5 * MIB);
    expect(sent).toEqual(['a', 'bc', 'de', 'g', 'h']);
    vi.advanceTimersByTime(1000);
    expect(sent.at(-1)).toBe('f');
  });

  it('go only with those of their own length', () => {
    add('abc');
    add('d', MIB - 1);
    expect(sent).toEqual(['a', 'bc']);
    batches.flush();
    expect(sent).toEqual(['a', 'bc', 'd']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('go at once where hashing them together is no faster', () => {
    batches = new CommitBatches<string>(
      (batch) => sent.push(batch.join('')),
      () => false,
    );
    add('abc');
    expect(sent).toEqual(['a', 'b', 'c']);
  });
});
