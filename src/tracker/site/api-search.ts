// The API of the catalogue as a whole: search, and the same as an RSS feed.

import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { type ApiOptions, baseUrl, torrentJson } from './api-context.ts';
import { answer, faults, numberText, passkeyText, torrentSchema } from './api-schemas.ts';
import type { TorrentJson } from './api-types.ts';
import type { ApiContext, ApiEnv } from './caller.ts';
import { rssFeed } from './rss.ts';
import { MAX_OFFSET, MAX_PAGE, type SearchQuery, SORT_KEYS } from './search.ts';
import { isOnlyWithout, MAX_QUERY } from './search-words.ts';
import { countTorrents } from './site.ts';

const bytes = numberText(0, Number.MAX_SAFE_INTEGER).optional();

const words = z
  .string()
  .max(MAX_QUERY, `a query has ${MAX_QUERY} characters at most`)
  .refine((text) => !isOnlyWithout(text), 'a query names a word that is there, beside those that are not')
  .default('')
  .openapi({ description: 'Words that all occur in name, files or comment; "phrases", beginnings* and -without.' });

const filters = z.object({
  q: words,
  minSize: bytes.openapi({ description: 'Bytes of content at least.' }),
  maxSize: bytes.openapi({ description: 'Bytes of content at most.' }),
  since: bytes.openapi({ description: 'Published then or later: seconds since 1970.' }),
  until: bytes.openapi({ description: 'Published then or earlier: seconds since 1970.' }),
  minSeeds: bytes.openapi({ description: 'Seeds at least, as counted within the last half a minute.' }),
  limit: numberText(1, MAX_PAGE).default(25),
  passkey: passkeyText,
});

const searchRoute = createRoute({
  method: 'get',
  path: '/api/search',
  summary: 'Find torrents',
  request: {
    query: filters.extend({
      sort: z.enum(SORT_KEYS).default('relevance').openapi({ description: 'Without words, relevance means date.' }),
      order: z.enum(['ascending', 'descending']).default('descending'),
      offset: numberText(0, MAX_OFFSET).default(0),
    }),
  },
  responses: {
    200: answer(
      z.object({
        torrents: z.array(torrentSchema),
        total: z.number(),
        isExact: z.boolean().openapi({ description: 'False: there are `total` or more.' }),
      }),
      'A page of torrents.',
    ),
    ...faults,
  },
});

const rssRoute = createRoute({
  method: 'get',
  path: '/rss',
  summary: 'What is new, as an RSS feed',
  request: { query: filters },
  responses: {
    200: { description: 'The feed.', content: { 'application/rss+xml': { schema: z.string() } } },
    ...faults,
  },
});

export function addSearchRoutes(app: OpenAPIHono<ApiEnv>, options: ApiOptions): void {
  const { site, gatekeeper, mode } = options;
  const find = async (c: ApiContext, query: SearchQuery, passkey: string | null): Promise<Found> => {
    const { torrents, total, isExact } = site.search.find(query);
    const counts = await countTorrents(torrents, options.countSwarms);
    const base = baseUrl(c, options);
    return {
      torrents: torrents.map((torrent, i) => torrentJson(torrent, counts[i]!, base, passkey, mode)),
      total,
      isExact,
    };
  };

  app.openapi(searchRoute, async (c) => {
    const { q, order, passkey, ...rest } = c.req.valid('query');
    const reader = gatekeeper.reader(c, passkey);
    return c.json(await find(c, { ...rest, words: q, ascending: order === 'ascending' }, reader), 200);
  });

  app.openapi(rssRoute, async (c) => {
    const { q, passkey, ...rest } = c.req.valid('query');
    const reader = gatekeeper.reader(c, passkey);
    const newest = { ...rest, words: q, sort: 'date', ascending: false, offset: 0 } as const;
    const { torrents } = await find(c, newest, reader);
    return c.body(rssFeed(torrents, q, baseUrl(c, options)), 200, {
      'content-type': 'application/rss+xml; charset=utf-8',
    });
  });
}

interface Found {
  torrents: TorrentJson[];
  total: number;
  isExact: boolean;
}
