// The checker of the page finds what it is for, and nothing else.

import { describe, expect, it } from 'vitest';
import { checkWeb } from './web-checker.ts';

const faults = (text: string): string[] =>
  checkWeb(
    new Map([
      ['a/b.tsx', `// An idea.\n${text}`],
      ['c.ts', '// C.\n'],
    ]),
  );

describe('the checker of the page', () => {
  it.each([
    ["import { x } from '../../../src/tracker/server/status/stats.ts';", 'import type'],
    ["import { type X, y } from '../../../src/tracker/server/status/stats.ts';", 'import type'],
    ["import type { X } from '../../../src/tracker/server/server.ts';", 'sees base and types of'],
    ["import type { Site } from '../../../src/tracker/site/site.ts';", 'sees base and types of'],
    ["const late = () => import('../../../src/session/session.ts');", 'sees base and types of'],
    ["import 'react';", "no library 'react'"],
    ["import {\n  a,\n  b,\n} from 'node:fs';", "no library 'node:fs'"],
    ["export { x } from '../missing.ts';", 'no source of the page'],
    ['box.innerHTML = name;', 'innerHTML makes code of text'],
    ['f();\n'.repeat(300), '301 lines'],
  ])('finds %o: %s', (text, sentence) => {
    expect(faults(text).join()).toContain(sentence);
  });

  it.each([
    "import type { ErrorCode } from '../../../src/base/errors.ts';",
    "import { formatBytes } from '../../../src/base/quantities.ts';",
    "import type { TorrentJson } from '../../../src/tracker/site/api-types.ts';",
    "import { render } from 'preact';\nimport '../style.css';\nimport { c } from '../c.ts';",
    "const text = <p>It's from 'here'</p>;",
  ])('finds nothing wrong with %s', (text) => {
    expect(faults(text)).toEqual([]);
  });
});
