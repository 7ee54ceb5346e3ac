// The API of whoever runs the tracker: users, tokens, the allow-list and the deny-list, numbers. All of it needs an admin token.

import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { fromHex } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ApiOptions } from './api-context.ts';
import { answer, bearer, faults, hashText, nameText, numberText } from './api-schemas.ts';
import type { ApiEnv } from './caller.ts';
import { LIST_NAMES, MAX_NOTE } from './lists.ts';
import { ROLES } from './tokens.ts';

const userSchema = z
  .object({
    name: z.string(),
    passkey: z.string(),
    uploaded: z.number(),
    downloaded: z.number(),
    ratio: z.number().nullable(),
    createdAt: z.number(),
    seenAt: z.number().nullable(),
  })
  .openapi('User');
const tokenSchema = z.object({ name: z.string(), role: z.enum(ROLES), createdAt: z.number() }).openapi('Token');
const entrySchema = z.object({ infoHash: z.string(), note: z.string(), addedAt: z.number() }).openapi('ListEntry');
const statsSchema = z
  .object({
    access: z.string(),
    torrents: z.number(),
    users: z.number(),
    tokens: z.number(),
    allow: z.number(),
    deny: z.number(),
    databaseBytes: z.number(),
  })
  .openapi('SiteStats');

const named = z.object({ name: nameText });
const removed = answer(z.object({ removed: z.string() }), 'It is gone.');
/** Pages in the order of the keys: `after` is the last one seen. */
const page = z.object({ after: z.string().max(200).default(''), limit: numberText(1, 1000).default(1000) });
const body = <T extends z.ZodType>(schema: T): { content: { 'application/json': { schema: T } }; required: true } => ({
  content: { 'application/json': { schema } },
  required: true,
});
const list = z.enum(LIST_NAMES).openapi({ param: { name: 'list', in: 'path' } });

const admin = { security: bearer, tags: ['admin'] };
const users = '/api/admin/users';
const tokens = '/api/admin/tokens';
const lists = '/api/admin/lists/{list}';
const listedHash = z.object({ list, hash: hashText });

const routes = {
  stats: createRoute({
    ...admin,
    method: 'get',
    path: '/api/admin/stats',
    responses: { 200: answer(statsSchema, 'How much there is.'), ...faults },
  }),
  users: createRoute({
    ...admin,
    method: 'get',
    path: users,
    request: { query: page },
    responses: { 200: answer(z.object({ users: z.array(userSchema) }), 'Users by name.'), ...faults },
  }),
  addUser: createRoute({
    ...admin,
    method: 'post',
    path: users,
    request: { body: body(z.object({ name: z.string() })) },
    responses: { 201: answer(userSchema, 'The user, with a passkey.'), ...faults },
  }),
  resetUser: createRoute({
    ...admin,
    method: 'post',
    path: `${users}/{name}/reset`,
    request: { params: named },
    responses: { 200: answer(userSchema, 'The user, with another passkey.'), ...faults },
  }),
  removeUser: createRoute({
    ...admin,
    method: 'delete',
    path: `${users}/{name}`,
    request: { params: named },
    responses: { 200: removed, ...faults },
  }),
  tokens: createRoute({
    ...admin,
    method: 'get',
    path: tokens,
    responses: { 200: answer(z.object({ tokens: z.array(tokenSchema) }), 'Tokens by name.'), ...faults },
  }),
  addToken: createRoute({
    ...admin,
    method: 'post',
    path: tokens,
    request: { body: body(z.object({ name: z.string(), role: z.enum(ROLES) })) },
    responses: {
      201: answer(z.object({ token: tokenSchema, secret: z.string() }), 'The secret is shown this once.'),
      ...faults,
    },
  }),
  removeToken: createRoute({
    ...admin,
    method: 'delete',
    path: `${tokens}/{name}`,
    request: { params: named },
    responses: { 200: removed, ...faults },
  }),
  list: createRoute({
    ...admin,
    method: 'get',
    path: lists,
    request: { params: z.object({ list }), query: page },
    responses: { 200: answer(z.object({ entries: z.array(entrySchema) }), 'By info hash.'), ...faults },
  }),
  addEntry: createRoute({
    ...admin,
    method: 'put',
    path: `${lists}/{hash}`,
    request: { params: listedHash, body: body(z.object({ note: z.string().max(MAX_NOTE).default('') })) },
    responses: { 200: answer(entrySchema, 'It is listed.'), ...faults },
  }),
  removeEntry: createRoute({
    ...admin,
    method: 'delete',
    path: `${lists}/{hash}`,
    request: { params: listedHash },
    responses: { 200: removed, ...faults },
  }),
} as const;

export function addAdminRoutes(app: OpenAPIHono<ApiEnv>, { site, gatekeeper, mode }: ApiOptions): void {
  app.use('/api/admin/*', async (c, next) => {
    gatekeeper.require(c, 'admin');
    await next();
  });
  app.openapi(routes.stats, (c) => {
    const accounts = { users: site.users.count(), tokens: site.tokens.list().length };
    const listed = { allow: site.lists.count('allow'), deny: site.lists.count('deny') };
    const { sizeBytes: databaseBytes, torrents } = site;
    return c.json({ access: mode, torrents: torrents.count(), ...accounts, ...listed, databaseBytes }, 200);
  });

  app.openapi(routes.users, (c) => {
    const { after, limit } = c.req.valid('query');
    return c.json({ users: site.users.list(after, limit) }, 200);
  });
  app.openapi(routes.addUser, (c) => c.json(site.users.add(c.req.valid('json').name), 201));
  app.openapi(routes.resetUser, (c) => c.json(site.users.reset(c.req.valid('param').name), 200));
  app.openapi(routes.removeUser, (c) => {
    const { name } = c.req.valid('param');
    site.users.remove(name);
    return c.json({ removed: name }, 200);
  });

  app.openapi(routes.tokens, (c) => c.json({ tokens: site.tokens.list() }, 200));
  app.openapi(routes.addToken, (c) => {
    const { name, role } = c.req.valid('json');
    return c.json(site.tokens.add(name, role), 201);
  });
  app.openapi(routes.removeToken, (c) => {
    const { name } = c.req.valid('param');
    site.tokens.remove(name);
    return c.json({ removed: name }, 200);
  });

  app.openapi(routes.list, (c) => {
    const { after, limit } = c.req.valid('query');
    const from = fromHex(after.toLowerCase());
    if (from === null) throw new ShoalError('REQUEST_INVALID', 'after: an info hash in hex');
    return c.json({ entries: site.lists.list(c.req.valid('param').list, from, limit) }, 200);
  });
  app.openapi(routes.addEntry, (c) => {
    const { list: name, hash } = c.req.valid('param');
    return c.json(site.lists.add(name, swarmHash(hash), c.req.valid('json').note), 200);
  });
  app.openapi(routes.removeEntry, (c) => {
    const { list: name, hash } = c.req.valid('param');
    site.lists.remove(name, swarmHash(hash));
    return c.json({ removed: hash.toLowerCase() }, 200);
  });
}

/** What is announced: a v2 info hash is cut to 20 bytes (BEP 52). */
function swarmHash(hex: string): Uint8Array {
  return fromHex(hex.toLowerCase())!.subarray(0, 20);
}
