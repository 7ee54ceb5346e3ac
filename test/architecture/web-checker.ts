// Checks the sources of the web page: what they may import, and their shape. JSX is no TypeScript that `tokens.ts` reads:
// imports are found by their form, which the formatter keeps.

import { posix } from 'node:path';
import type { Sources } from './checker.ts';
import { MAX_LINES, MAX_TEST_LINES } from './rooms.ts';

/** What is in the page's bundle. */
const LIBRARIES: ReadonlySet<string> = new Set(['preact', 'preact/hooks', '@preact/signals']);
/** Of base, which needs nothing: code too. */
const CODE_FROM = /^src\/base\/.+\.ts$/;
/** Types alone: of what the tracker answers. */
const TYPES_FROM = /^src\/tracker\/(site\/api-types|server\/status\/(stats|history))\.ts$/;

const IMPORT = /^(?:import|export)\s+(type\s)?(?:[\w*{][^;'"]*?\sfrom\s+)?'([^']+)'/gm;
const LATE_IMPORT = /\bimport\(\s*'([^']+)'/g;
/** Ways past the one that makes text of what strangers have written. */
const HTML = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\b/;

/** `path:line: sentence` for every fault. `sources`: paths below web/src and their texts. */
export function checkWeb(sources: Sources): string[] {
  const faults: string[] = [];
  for (const [path, text] of sources) {
    const say = (at: number, sentence: string): void => {
      faults.push(`web/src/${path}:${text.slice(0, at).split('\n').length}: ${sentence}`);
    };
    const isTest = /\.test\.tsx?$/.test(path);
    const lines = text.split('\n').length - 1;
    if (lines > (isTest ? MAX_TEST_LINES : MAX_LINES))
      say(0, `${lines} lines: find the second idea and give it a file`);
    if (isTest) continue;
    if (!text.startsWith('// ')) say(0, 'a file begins with a comment that says its idea');
    const html = HTML.exec(text);
    if (html !== null) say(html.index, `${html[0]} makes code of text: leave it to preact, which does not`);
    for (const found of text.matchAll(IMPORT)) {
      const fault = faultOf(path, found[2]!, found[1] !== undefined, sources);
      if (fault !== null) say(found.index, fault);
    }
    for (const found of text.matchAll(LATE_IMPORT)) {
      const fault = faultOf(path, found[1]!, false, sources);
      if (fault !== null) say(found.index, fault);
    }
  }
  return faults;
}

function faultOf(path: string, from: string, isType: boolean, sources: Sources): string | null {
  if (!from.startsWith('.')) {
    return LIBRARIES.has(from) ? null : `the page has no library '${from}': every byte of it would be loaded`;
  }
  const target = posix.normalize(posix.join('web/src', posix.dirname(path), from));
  if (target.startsWith('web/src/')) {
    const known = sources.has(target.slice('web/src/'.length)) || target.endsWith('.css');
    return known && !/\.test\.tsx?$/.test(target) ? null : `${from} is no source of the page`;
  }
  if (CODE_FROM.test(target)) return null;
  if (!TYPES_FROM.test(target)) return `the page sees base and types of what the tracker answers, not ${target}`;
  return isType ? null : `the page has types of ${target} only: import type`;
}
