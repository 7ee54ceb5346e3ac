// Which view the address names, relative to the root; going elsewhere without loading anything.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { ROOT } from './root.ts';

export interface Place {
  /** Below the root: ``, `search`, `torrent/…`, `publish`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

const place: Signal<Place> = signal(read());

/** Where we are. */
export const here: ReadonlySignal<Place> = place;

export function href(path: string, query: URLSearchParams | null = null): string {
  const text = query?.toString() ?? '';
  return new URL(path, ROOT).pathname + (text === '' ? '' : `?${text}`);
}

export function go(path: string, query: URLSearchParams | null = null): void {
  history.pushState(null, '', href(path, query));
  place.value = read();
  scrollTo(0, 0);
}

/** Follows links of ours, and the browser's own buttons; to be called once. */
export function follow(): void {
  // Relative to the address, which is about to change under them.
  for (const link of document.querySelectorAll('link')) link.href = new URL(link.href).href;
  addEventListener('popstate', () => {
    place.value = read();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-view]');
    if (link === null) return;
    event.preventDefault();
    const { pathname, searchParams } = new URL(link.href);
    go(pathname.slice(ROOT.pathname.length), searchParams);
  });
}

function read(): Place {
  const { pathname, search } = location;
  const path = pathname.startsWith(ROOT.pathname) ? pathname.slice(ROOT.pathname.length) : '';
  return { path, query: new URLSearchParams(search) };
}
