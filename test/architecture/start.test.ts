// Commands that do little start fast because they load little: what their bundle holds (docs/decisions/0009).

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { roomOf } from './rooms.ts';

const BUNDLE: string = fileURLToPath(new URL('../../dist/bundle/', import.meta.url));
/** Nothing of the engine or the tracker. */
const ROOMS: ReadonlySet<string> = new Set(['base', 'ports', 'bencode', 'metainfo', 'platform/node', 'cli']);
const PACKAGES = /\/node_modules\/(commander|picocolors)\//;
/** It was 98 kB, of which commander is 40. Twenty more cost some 2 ms at every start. */
const MOST_BYTES = 120_000;

it('loads neither the engine nor the tracker for inspect and magnet', () => {
  const names = readdirSync(BUNDLE).filter((name) => /^start-.*\.js$/.test(name));
  expect(names, 'npm run build writes one start bundle').toHaveLength(1);
  const map = JSON.parse(readFileSync(`${BUNDLE}${names[0]}.map`, 'utf8')) as { readonly sources: readonly string[] };
  const isStrange = (source: string): boolean => {
    const path = /\/src\/(.*)$/.exec(source)?.[1];
    return path === undefined ? !PACKAGES.test(source) : !ROOMS.has(roomOf(path) ?? '');
  };
  expect(map.sources.length).toBeGreaterThan(20);
  expect(map.sources.filter(isStrange)).toEqual([]);
  expect(readFileSync(`${BUNDLE}${names[0]}`).length).toBeLessThan(MOST_BYTES);
});
