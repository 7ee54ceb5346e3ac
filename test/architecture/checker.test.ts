// The checker finds what it is for, and nothing else.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are source text to be checked

import { describe, expect, it } from 'vitest';
import { checkHouse } from './checker.ts';
import { importsOf, tokensOf } from './tokens.ts';

const HEAD = '// An idea.\n';

function faults(files: Readonly<Record<string, string>>): string[] {
  return checkHouse(new Map(Object.entries(files).map(([path, text]) => [path, HEAD + text])));
}

describe('the architecture checker', () => {
  it('lets a file import from its own room and from lower ranks', () => {
    const ok = faults({
      'base/bytes.ts': 'export const a: number = 1;',
      'wire/sink.ts': "import { a } from '../base/bytes.ts';\nexport const b = a;",
      'wire/decoder.ts': "import { b } from './sink.ts';\nexport const c = b;",
    });
    expect(ok).toEqual([]);
  });

  it.each([
    ['upwards', { 'base/a.ts': "import '../peer/b.ts';", 'peer/b.ts': '' }],
    ['sideways', { 'picker/a.ts': "import type { B } from '../choker/b.ts';", 'choker/b.ts': '' }],
    ['sideways', { 'storage/a.ts': "export { b } from '../tracker/client/b.ts';", 'tracker/client/b.ts': '' }],
    ['upwards', { 'peer/a.ts': "const b = await import('../torrent/b.ts');", 'torrent/b.ts': '' }],
    ['circle', { 'peer/a.ts': "import './b.ts';", 'peer/b.ts': "import './c.ts';", 'peer/c.ts': "import './a.ts';" }],
    ['makes its own world', { 'session/a.ts': "import '../platform/node/b.ts';", 'platform/node/b.ts': '' }],
    ['upwards', { 'platform/sim/a.ts': "import '../../session/b.ts';", 'session/b.ts': '' }],
    ['import the file itself', { 'peer/a.ts': "import '../wire/index.ts';", 'wire/index.ts': '' }],
    ['is no file below src', { 'peer/a.ts': "import './missing.ts';" }],
    ['is not in the plan', { 'stuff/a.ts': '' }],
    ['code does not import tests', { 'peer/a.ts': "import './a.test.ts';", 'peer/a.test.ts': '' }],
    ['names node:fs', { 'storage/a.ts': "import { open } from 'node:fs';" }],
    ["package 'commander'", { 'session/a.ts': "import 'commander';" }],
    ["package 'pkg'", { 'platform/sim/a.ts': "import 'pkg';" }],
    ['names setTimeout', { 'peer/a.ts': 'setTimeout(() => 1, 5);' }],
    ['names Date.now', { 'peer/a.ts': 'const t = Date.now();' }],
    ['names Date', { 'peer/a.ts': 'const t = new Date();' }],
    ['names Math.random', { 'picker/a.ts': 'items.sort(() => Math.random() - 0.5);' }],
    ['names Buffer', { 'wire/a.ts': 'const b = Buffer.alloc(4);' }],
    ['names process', { 'platform/sim/a.ts': 'const n = `${process.pid}`;' }],
    ['names console', { 'torrent/a.ts': 'if (x / 2) console.log(y / 3);' }],
    ['names globalThis', { 'torrent/a.ts': "globalThis['setTimeout'](f);" }],
    ["has 'await'", { 'wire/a.ts': 'export async function f() { await g(); }' }],
    ["'export *'", { 'wire/a.ts': "export * from './b.ts';", 'wire/b.ts': '' }],
    ['301 lines', { 'wire/a.ts': 'f();\n'.repeat(300) }],
    ['named after its one idea', { 'wire/utils.ts': '' }],
  ] as [string, Record<string, string>][])('says "%s" of %o', (sentence, files) => {
    expect(faults(files).join('\n')).toContain(sentence);
  });

  it('wants a comment at the head of a file', () => {
    expect(checkHouse(new Map([['wire/a.ts', 'export const a = 1;\n']]))).toHaveLength(1);
  });

  it.each([
    '// setTimeout(f) in a comment',
    "const text = 'process.exit and console.log';",
    'const text = `await ${name} console.log`;',
    'const pattern = /Buffer["\'`]/; // console',
    'clock.setTimeout(f); port.fetch(url);',
    'interface A { readonly process: number; fetch?: string }',
    'const day = new Date(seconds * 1000); Math.floor(1);',
    'class A { constructor(process: Own) { this.a = process; } }',
    'const half = a / 2; const rest = b / c; /* console */',
  ])('finds nothing wrong with %s', (text) => {
    expect(faults({ 'wire/a.ts': text })).toEqual([]);
  });

  it('finds a name behind strings, templates and regular expressions', () => {
    const text = 'const a = `x${f({ b: `}` })}y`;\nconst b = /[/"]/.test(a) ? \'"\' : "\'";\nconsole.log(b);';
    expect(faults({ 'wire/a.ts': text })).toEqual([expect.stringMatching(/^src\/wire\/a\.ts:4: wire names console/)]);
  });

  it('lets cli and platform/node name the world', () => {
    const text = "import { open } from 'node:fs';\nimport 'commander';\nsetTimeout(f, Date.now());";
    expect(faults({ 'cli/a.ts': text, 'platform/node/b.ts': text })).toEqual([]);
  });

  it('reads imports of every form', () => {
    const text = [
      "import a from 'a';",
      "import { b, type B } from 'b';",
      "import type * as c from 'c';",
      "import 'd';",
      "export { e } from 'e';",
      "export type { F } from 'f';",
      "const g = () => import('g');",
      "const from = 'h'; copy(from, 'i');",
      "export const x = 1; Array.from('j');",
    ].join('\n');
    expect(importsOf(tokensOf(text)).map((entry) => entry.from)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });
});
