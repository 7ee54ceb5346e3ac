import { describe, expect, it } from 'vitest';
import { UsageError } from './args.ts';
import { pathMatcher } from './globs.ts';

describe('patterns', () => {
  it.each([
    ['*.tmp', 'a.tmp', true],
    ['*.tmp', 'deep/down/a.tmp', true],
    ['*.tmp', 'a.tmp.txt', false],
    ['*.tmp', '.hidden.tmp', true],
    ['node_modules', 'a/node_modules/b/c.js', true],
    ['node_modules/', 'node_modules/b', true],
    ['docs/**', 'docs/a/b.md', true],
    ['docs/**', 'more/docs/a.md', false],
    ['docs', 'more/docs/a.md', true],
    ['/docs', 'more/docs/a.md', false],
    ['/README.md', 'README.md', true],
    ['./README.md', 'a/README.md', false],
    ['a/*.js', 'a/b.js', true],
    ['a/*.js', 'a/b/c.js', false],
    ['*.{jpg,png}', 'x/y.png', true],
    ['[ab].txt', 'b.txt', true],
  ])('%s and %s: %s', (pattern, path, matches) => {
    expect(pathMatcher([pattern])(path)).toBe(matches);
  });

  it('take what any of them takes, and nothing when there are none', () => {
    expect(pathMatcher(['*.a', '*.b'])('x.b')).toBe(true);
    expect(pathMatcher([])('x')).toBe(false);
  });

  it('are refused when they are empty', () => {
    expect(() => pathMatcher(['/'])).toThrow(UsageError);
  });
});
