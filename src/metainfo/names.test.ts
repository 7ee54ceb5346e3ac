import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isShoalError } from '../base/errors.ts';
import { looseText, safeName, uniquePaths } from './names.ts';

const unique = (paths: string[], caseSensitive = false): string[] =>
  uniquePaths(
    paths.map((path) => path.split('/')),
    { caseSensitive },
  ).map((path) => path.join('/'));

describe('looseText', () => {
  it('reads UTF-8, and one character a byte where it is none', () => {
    expect(looseText(new TextEncoder().encode('日本'))).toBe('日本');
    expect(looseText(Uint8Array.of(0x63, 0x61, 0x66, 0xe9))).toBe('café');
  });
});

describe('safeName', () => {
  it.each([
    ['', '_'],
    ['.', '_'],
    ['..', '__'],
    ['a/b', 'a_b'],
    ['..\\..\\x', '.._.._x'],
    ['a\0b\nc\x7f\x85', 'a_b_c__'],
    ['\ud800x', '_x'],
  ])('makes %j safe', (name, safe) => {
    expect(safeName(name)).toBe(safe);
  });

  it.each(['...', '.hidden', 'a.', 'a ', ' ', 'CON', 'a:b*?"<>|', '日本語.txt', '𝒳', 'é', '-rf', '~'])(
    'keeps %j',
    (name) => {
      expect(safeName(name)).toBe(name);
    },
  );

  it('shortens to what a disk takes, at a whole character, with the ending', () => {
    const name = safeName(`${'日'.repeat(200)}.torrent`);
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(255);
    expect(name).toMatch(/^日+\.torrent$/u);
    expect(safeName('a'.repeat(255))).toBe('a'.repeat(255));
    expect(safeName('a'.repeat(256)).length).toBeLessThan(256);
  });

  it('is safe for any text, and leaves a safe name alone', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.stringMatching(/^[./\\\0]{0,8}$/));
    fc.assert(
      fc.property(text, (each) => {
        const name = safeName(each);
        expect(name).not.toMatch(/^(\.{0,2})$|[/\\\p{Cc}\p{Cs}]/u);
        expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(255);
        expect(safeName(name)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });
});

describe('uniquePaths', () => {
  it('renames the later of two files with one path, before the ending', () => {
    expect(unique(['a.txt', 'a.txt', 'b/c', 'a.txt', 'b/c'])).toEqual(['a.txt', 'a.1.txt', 'b/c', 'a.2.txt', 'b/c.1']);
  });

  it('takes names that differ in case alone for one, unless the disk tells them apart', () => {
    expect(unique(['Readme', 'README', 'É', 'e\u0301'])).toEqual(['Readme', 'README.1', 'É', 'e\u0301.1']);
    expect(unique(['Readme', 'README', 'Readme'], true)).toEqual(['Readme', 'README', 'Readme.1']);
  });

  it('renames a file where another path needs a folder, whichever comes first', () => {
    expect(unique(['a', 'a/b'])).toEqual(['a.1', 'a/b']);
    expect(unique(['a/b/c', 'A/B', 'a'])).toEqual(['a/b/c', 'A/B.1', 'a.1']);
  });

  it('takes no name away from a file that has it by right', () => {
    expect(unique(['a', 'a', 'a.1', 'a.2/x'])).toEqual(['a', 'a.3', 'a.1', 'a.2/x']);
  });

  it('lets folders that differ in case stand', () => {
    expect(unique(['A/x', 'a/y'])).toEqual(['A/x', 'a/y']);
  });

  it('gives the last of thirty thousand equals its name without looking at all others', () => {
    const paths = unique(new Array<string>(30_000).fill('same'));
    expect(new Set(paths).size).toBe(30_000);
    expect(paths.at(-1)).toBe('same.29999');
  });

  it('shares numbers among long names that look alike when shortened', () => {
    const stem = 'x'.repeat(254);
    const paths = Array.from({ length: 20 }, (_, i) => `${stem}${String.fromCharCode(97 + i)}`);
    const result = unique([...paths, ...paths]);
    expect(new Set(result).size).toBe(40);
    for (const path of result) expect(path.length).toBeLessThanOrEqual(255);
  });

  it('refuses a path longer than any disk takes', () => {
    const path = Array.from({ length: 20 }, () => 'x'.repeat(200));
    let thrown: unknown;
    try {
      uniquePaths([path], { caseSensitive: false });
    } catch (error) {
      thrown = error;
    }
    expect(isShoalError(thrown, 'METAINFO_INVALID')).toBe(true);
  });

  it('leaves no two files in one place and no file where a folder is needed', () => {
    const part = fc.constantFrom('a', 'A', 'b', 'a.1', 'a.2', 'b.1', 'é', 'e\u0301');
    const path = fc.array(part, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(path, { maxLength: 14 }), fc.boolean(), (paths, caseSensitive) => {
        const fold = (text: string): string => (caseSensitive ? text : text.normalize('NFC').toLowerCase());
        const result = uniquePaths(paths, { caseSensitive });
        const keys = result.map((each) => fold(each.join('/')));
        expect(result.length).toBe(paths.length);
        expect(new Set(keys).size).toBe(keys.length);
        for (const each of result) {
          for (let n = 1; n < each.length; n++) expect(keys).not.toContain(fold(each.slice(0, n).join('/')));
        }
        for (const [i, each] of result.entries()) expect(each.slice(0, -1)).toEqual(paths[i]!.slice(0, -1));
        expect(uniquePaths(paths, { caseSensitive })).toEqual(result);
      }),
      { numRuns: 500 },
    );
  });
});
