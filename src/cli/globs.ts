// `--exclude` and `--only`: patterns over paths of a torrent.

import picomatch from 'picomatch';
import { UsageError } from './args.ts';

/**
 * Whether any pattern takes a `/`-separated path, or a folder above it.
 * A pattern without `/` is matched against every component's name (`*.iso`, `node_modules`); one with `/` against the
 * path from the top (`docs/**`, `/README.md`). Hidden names are no exception: `*` takes them too.
 */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const byName: ((name: string) => boolean)[] = [];
  const byPath: ((path: string) => boolean)[] = [];
  for (const pattern of patterns) {
    const clean = pattern.replace(/^\.?\//, '').replace(/\/+$/, '');
    if (clean === '') throw new UsageError(`'${pattern}' is no pattern; give for example '*.tmp' or 'docs/**'`);
    const anchored = clean.includes('/') || /^\.?\//.test(pattern);
    (anchored ? byPath : byName).push(picomatch(clean, { dot: true }));
  }
  return (path) => {
    const components = path.split('/');
    let prefix = '';
    for (const component of components) {
      prefix = prefix === '' ? component : `${prefix}/${component}`;
      const [name, whole] = [component, prefix];
      if (byName.some((matches) => matches(name)) || byPath.some((matches) => matches(whole))) return true;
    }
    return false;
  };
}
