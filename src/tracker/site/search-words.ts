// What a person types -> an expression of SQLite's full-text search. Nothing of it is handed on but letters and digits in
// quotes, so that no text can be more than words.

/** Longer queries are cut: nobody types them. */
export const MAX_QUERY = 300;
const MAX_TERMS = 12;
const MAX_WORD = 64;

/** One `"phrase"`, `-word` or `word*`, or any run without a space. */
const TERM = /(-?)"([^"]*)"|(\S+)/gu;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/**
 * Words that all must be there, "phrases in quotes", beginnings* with a star, and -words that must not. Null: there is no
 * word to look for.
 */
export function searchExpression(text: string): string | null {
  const { wanted, unwanted } = termsOf(text);
  if (wanted.length === 0) return null;
  const without = unwanted.map((term) => ` NOT ${term}`).join('');
  return `(${wanted.join(' AND ')})${without}`;
}

/** Whether it says only what must not be there: that would be looked for in all that there is. */
export function isOnlyWithout(text: string): boolean {
  const { wanted, unwanted } = termsOf(text);
  return wanted.length === 0 && unwanted.length > 0;
}

function termsOf(text: string): { wanted: readonly string[]; unwanted: readonly string[] } {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (const match of text.slice(0, MAX_QUERY).normalize('NFC').matchAll(TERM)) {
    if (wanted.length + unwanted.length === MAX_TERMS) break;
    const bare = match[3] ?? match[2]!;
    const isUnwanted = match[1] === '-' || (match[3]?.startsWith('-') ?? false);
    const words = (bare.match(WORD) ?? []).slice(0, MAX_TERMS).map((word) => word.slice(0, MAX_WORD));
    // A combining mark alone is no word to the index either.
    if (!words.some((word) => /[\p{L}\p{N}]/u.test(word))) continue;
    // Two letters begin too many words to look through.
    const isBeginning = match[3]?.endsWith('*') === true && words.at(-1)!.length >= 3;
    (isUnwanted ? unwanted : wanted).push(`"${words.join(' ')}"${isBeginning ? '*' : ''}`);
  }
  return { wanted, unwanted };
}
