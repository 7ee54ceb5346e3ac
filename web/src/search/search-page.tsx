// Finding torrents: words and filters, which the address keeps; what was found, a page at a time.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { FaultNote } from '../fault-note.tsx';
import { go, href } from '../router.ts';
import { countOf, formatBytes, formatCount, formatDate, visible } from '../text.ts';
import { Title } from '../title.tsx';
import type { SearchJson, TorrentJson, TrackerApi } from '../tracker-api.ts';
import { SearchFields } from './search-fields.tsx';
import { apiQuery, feedQuery, offsetOf, pageQuery } from './search-query.ts';

export function SearchPage({ api, query }: { api: TrackerApi; query: URLSearchParams }): JSX.Element {
  const found = useSignal<SearchJson | null>(null);
  const fault = useSignal<Error | null>(null);
  const tries = useSignal(0);
  const text = query.toString();
  useEffect(() => {
    let isCurrent = true;
    api.search(apiQuery(query)).then(
      (answer) => {
        if (!isCurrent) return;
        found.value = answer;
        fault.value = null;
      },
      (error: Error) => {
        if (isCurrent) fault.value = error;
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [text, tries.value]);
  return (
    <>
      <Title text="Search" />
      <SearchFields key={text} query={query} onSearch={(next) => go('search', next)} />
      {fault.value !== null ? (
        <FaultNote fault={fault.value} onRetry={() => tries.value++} />
      ) : (
        found.value !== null && <Found api={api} query={query} found={found.value} />
      )}
    </>
  );
}

interface FoundOptions {
  readonly api: TrackerApi;
  readonly query: URLSearchParams;
  readonly found: SearchJson;
}

function Found({ api, query, found: { torrents, total, isExact } }: FoundOptions): JSX.Element {
  const offset = offsetOf(query);
  const [before, behind] = [pageQuery(query, -1, total), pageQuery(query, 1, total)];
  return (
    <section aria-label="Results">
      <div class="row">
        <p role="status">
          {torrents.length === 0 ? 'Nothing was found.' : `${countOf(total, 'torrent')}${isExact ? '' : ' or more'}`}
        </p>
        <a href={api.url('rss', feedQuery(query))}>RSS feed of this search</a>
      </div>
      <ol class="hits" start={offset + 1}>
        {torrents.map((torrent) => (
          <Hit key={torrent.infoHash} torrent={torrent} />
        ))}
      </ol>
      {(before ?? behind) && (
        <nav class="row" aria-label="Pages">
          {before === null ? (
            <span />
          ) : (
            <a href={href('search', before)} data-view rel="prev">
              ← Before
            </a>
          )}
          <span>{`${formatCount(offset + 1)} to ${formatCount(offset + torrents.length)}`}</span>
          {behind === null ? (
            <span />
          ) : (
            <a href={href('search', behind)} data-view rel="next">
              Next →
            </a>
          )}
        </nav>
      )}
    </section>
  );
}

function Hit({ torrent }: { torrent: TorrentJson }): JSX.Element {
  const { infoHash, name, length, fileCount, publishedAt, seeds, leeches } = torrent;
  return (
    <li>
      <a class="name" href={href(`torrent/${infoHash}`)} data-view dir="auto">
        {visible(name)}
      </a>
      <p class="facts">
        <span>{formatBytes(length)}</span>
        <span>{countOf(fileCount, 'file')}</span>
        <span>{formatDate(publishedAt)}</span>
        <span class="seeds">{countOf(seeds, 'seed')}</span>
        <span>{leeches === 1 ? '1 leech' : `${formatCount(leeches)} leeches`}</span>
      </p>
    </li>
  );
}
