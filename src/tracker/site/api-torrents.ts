// The API of single torrents: publish, look at, fetch, remove.

import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { fromHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import { type ApiOptions, announceUrl, baseUrl, servedTrackers, torrentJson } from './api-context.ts';
import { answer, bearer, faults, hashText, numberText, passkeyText, torrentSchema } from './api-schemas.ts';
import type { TorrentJson } from './api-types.ts';
import type { ApiContext, ApiEnv } from './caller.ts';
import { readUpload, servedFile } from './published.ts';
import { countTorrents } from './site.ts';
import type { CatalogueTorrent } from './torrents.ts';

const TORRENT_TYPE = 'application/x-bittorrent';

const params = z.object({ hash: hashText });
const passkeyQuery = z.object({ passkey: passkeyText });
const binary = { type: 'string', format: 'binary' } as const;

const publishRoute = createRoute({
  method: 'post',
  path: '/api/torrents',
  summary: 'Publish a torrent: the body is a .torrent or .mtorrent file',
  security: bearer,
  request: { body: { content: { [TORRENT_TYPE]: { schema: binary } } } },
  responses: {
    200: answer(z.object({ torrent: torrentSchema, isNew: z.boolean() }), 'It was published before.'),
    201: answer(z.object({ torrent: torrentSchema, isNew: z.boolean() }), 'It is published.'),
    ...faults,
  },
});

const getRoute = createRoute({
  method: 'get',
  path: '/api/torrents/{hash}',
  summary: 'A torrent',
  request: { params, query: passkeyQuery },
  responses: { 200: answer(torrentSchema, 'The torrent, with its swarm as it is now.'), ...faults },
});

const filesRoute = createRoute({
  method: 'get',
  path: '/api/torrents/{hash}/files',
  summary: 'The files of a torrent, a page at a time',
  request: {
    params,
    query: passkeyQuery.extend({ offset: numberText(0, 1e6).default(0), limit: numberText(1, 1000).default(100) }),
  },
  responses: {
    200: answer(z.object({ files: z.array(z.object({ path: z.string(), length: z.number() })) }), 'Files in order.'),
    ...faults,
  },
});

const fetchRoute = createRoute({
  method: 'get',
  path: '/api/torrents/{hash}/torrent',
  summary: 'The torrent file, which announces here',
  request: { params, query: passkeyQuery },
  responses: {
    200: { description: 'The file.', content: { [TORRENT_TYPE]: { schema: binary } } },
    ...faults,
  },
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/api/torrents/{hash}',
  summary: 'Remove a torrent: with an admin token, or the one that it was published with',
  security: bearer,
  request: { params },
  responses: { 200: answer(z.object({ removed: z.string() }), 'It is gone.'), ...faults },
});

export function addTorrentRoutes(app: OpenAPIHono<ApiEnv>, options: ApiOptions): void {
  const { site, gatekeeper, mode, maxUploadBytes } = options;
  const tell = async (c: ApiContext, torrent: CatalogueTorrent, passkey: string | null): Promise<TorrentJson> => {
    const [counts] = await countTorrents([torrent], options.countSwarms);
    return torrentJson(torrent, counts!, baseUrl(c, options), passkey, mode);
  };
  const find = (hash: string): CatalogueTorrent => site.torrents.get(fromHex(hash.toLowerCase())!);

  app.openapi(publishRoute, async (c) => {
    const { name } = gatekeeper.require(c, 'publish');
    const bytes = new Uint8Array(await c.req.arrayBuffer());
    if (bytes.length > maxUploadBytes) {
      throw new ShoalError('FILE_TOO_LARGE', `a torrent file may have ${maxUploadBytes} bytes here`);
    }
    const { torrent, isNew } = site.torrents.add(readUpload(bytes), name);
    return c.json({ torrent: await tell(c, torrent, null), isNew }, isNew ? 201 : 200);
  });

  app.openapi(getRoute, async (c) => {
    const passkey = gatekeeper.reader(c, c.req.valid('query').passkey);
    return c.json(await tell(c, find(c.req.valid('param').hash), passkey), 200);
  });

  app.openapi(filesRoute, (c) => {
    const { passkey, offset, limit } = c.req.valid('query');
    gatekeeper.reader(c, passkey);
    const files = site.torrents.files(find(c.req.valid('param').hash).id, offset, limit);
    return c.json({ files: files.map(({ path, lengthBytes }) => ({ path, length: lengthBytes })) }, 200);
  });

  app.openapi(fetchRoute, (c) => {
    const passkey = gatekeeper.reader(c, c.req.valid('query').passkey);
    const torrent = find(c.req.valid('param').hash);
    const announce = announceUrl(baseUrl(c, options), passkey);
    const file = servedFile(site.torrents.body(torrent.id), servedTrackers(torrent, announce, mode));
    return c.body(new Uint8Array(file), 200, {
      'content-type': TORRENT_TYPE,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(`${torrent.name}.torrent`)}`,
    });
  });

  app.openapi(removeRoute, (c) => {
    const principal = gatekeeper.require(c, 'publish');
    const { hash } = c.req.valid('param');
    const torrent = find(hash);
    if (principal.role !== 'admin' && torrent.publisher !== principal.name) {
      throw new ShoalError('PERMISSION', `'${principal.name}' may remove only what it has published`);
    }
    site.torrents.remove(torrent);
    return c.json({ removed: hash.toLowerCase() }, 200);
  });
}
