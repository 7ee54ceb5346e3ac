// The frame of all views: where one can go, which view is shown, light or dark.

import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { Poll } from './poll.ts';
import { PublishPage } from './publish/publish-page.tsx';
import { here, href } from './router.ts';
import { SearchPage } from './search/search-page.tsx';
import { StatusPage } from './status/status-page.tsx';
import { type Theme, theme } from './theme.ts';
import { Title } from './title.tsx';
import { TorrentPage } from './torrent/torrent-page.tsx';
import type { TrackerApi } from './tracker-api.ts';

/** Until it is known what this tracker has. */
const ASK_AGAIN_MS = 2000;
const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

export function App({ api }: { api: TrackerApi }): JSX.Element {
  const catalogue = useSignal<boolean | null>(null);
  const first = useMemo(() => new Poll(() => api.stats(), ASK_AGAIN_MS), []);
  useEffect(() => (catalogue.value === null ? first.start() : undefined), [catalogue.value]);
  useSignalEffect(() => {
    if (first.answer.value !== null) catalogue.value = first.answer.value.value.catalogue;
  });
  useEffect(focusOnChange, []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="bar">
        <a class="brand" href={href('')} data-view>
          <span aria-hidden="true">≋</span> Shoal tracker
        </a>
        <Navigation catalogue={catalogue} />
        <label class="theme">
          <span class="hidden">Colours</span>
          <select
            value={theme.value}
            onChange={(event) => {
              theme.value = event.currentTarget.value as Theme;
            }}
          >
            {THEMES.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </header>
      <main id="main" tabIndex={-1}>
        <View api={api} catalogue={catalogue} fault={first.fault.value} />
      </main>
    </>
  );
}

interface ViewOptions {
  readonly api: TrackerApi;
  /** Null: not known yet. */
  readonly catalogue: Signal<boolean | null>;
  /** Why it is not known. */
  readonly fault: Error | null;
}

function Navigation({ catalogue }: { catalogue: Signal<boolean | null> }): JSX.Element {
  const path = here.value.path;
  const to = (name: string, view: string): JSX.Element => (
    <a href={href(name)} data-view aria-current={path.split('/')[0] === name ? 'page' : undefined}>
      {view}
    </a>
  );
  return (
    <nav aria-label="Views">
      {to('', 'Status')}
      {catalogue.value && to('search', 'Search')}
      {catalogue.value && to('publish', 'Publish')}
    </nav>
  );
}

function View({ api, catalogue, fault }: ViewOptions): JSX.Element {
  const { path, query } = here.value;
  if (path === '' || path === 'index.html') return <StatusPage api={api} catalogue={catalogue} />;
  if (catalogue.value === null)
    return <Message title="Shoal tracker">{fault?.message ?? 'Asking the tracker'}</Message>;
  if (!catalogue.value) return <Message title="No catalogue">This tracker runs without --catalogue.</Message>;
  if (path === 'search') return <SearchPage api={api} query={query} />;
  if (path === 'publish') return <PublishPage api={api} />;
  const hash = /^torrent\/([0-9a-f]+)$/i.exec(path)?.[1];
  if (hash !== undefined) return <TorrentPage key={hash} api={api} hash={hash} />;
  return <Message title="Not found">There is no such page here.</Message>;
}

function Message({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <Title text={title} />
      <p role="status">{children}</p>
    </>
  );
}

/** In another view the keyboard and the screen reader begin anew; not at the start. */
function focusOnChange(): () => void {
  let shown = here.value.path;
  return here.subscribe(({ path }) => {
    const isOther = path !== shown;
    shown = path;
    if (isOther) requestAnimationFrame(() => document.getElementById('main')?.focus());
  });
}
