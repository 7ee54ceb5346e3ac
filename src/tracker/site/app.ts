// The HTTP API as a function from request to response: the same over a socket, in a test, and for a command that has the
// state folder to itself.

import { OpenAPIHono } from '@hono/zod-openapi';
import { describeError, ShoalError } from '../../base/errors.ts';
import { addAdminRoutes } from './api-admin.ts';
import { type ApiOptions, faultResponse, isOwnFault } from './api-context.ts';
import { addSearchRoutes } from './api-search.ts';
import { addTorrentRoutes } from './api-torrents.ts';
import type { ApiEnv, Caller } from './caller.ts';

export interface App {
  /** Never rejects: every fault is a response. */
  fetch(request: Request, caller: Caller): Promise<Response>;
}

/** `log` hears of faults that are our own. */
export function makeApp(options: ApiOptions, log: (message: string) => void): App {
  const app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const issue = result.error.issues[0];
      const where = issue === undefined || issue.path.length === 0 ? result.target : issue.path.join('.');
      throw new ShoalError('REQUEST_INVALID', `${where}: ${issue?.message ?? 'not as it should be'}`);
    },
  });
  app.onError((error) => {
    // What hono throws for a body that is no JSON.
    if ('status' in error && error.status === 400) {
      return faultResponse(new ShoalError('REQUEST_INVALID', 'the body is not the JSON that it should be'));
    }
    if (isOwnFault(error)) log(describeError(error));
    return faultResponse(error);
  });
  app.notFound(() => faultResponse(new ShoalError('NOT_FOUND', 'there is nothing here; see /api/openapi.json')));
  app.use(async (c, next) => {
    await next();
    c.header('x-content-type-options', 'nosniff');
    // Links may have a passkey in them, and counts are live.
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  addTorrentRoutes(app, options);
  addSearchRoutes(app, options);
  addAdminRoutes(app, options);
  app.doc('/api/openapi.json', {
    openapi: '3.0.3',
    info: { title: 'Shoal tracker', version: '1', description: 'The catalogue of a tracker, and who may use it.' },
  });
  return { fetch: async (request, caller) => app.fetch(request, { ...caller }) };
}
