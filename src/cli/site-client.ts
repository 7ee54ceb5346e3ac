// How commands ask a tracker's API: over HTTP, or in this process on the state folder that the tracker has.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describeError, type ErrorCode, ShoalError } from '../base/errors.ts';
import type { App } from '../tracker/site/app.ts';
import { DATABASE_NAME } from '../tracker/site/database-name.ts';
import { note } from './output.ts';
import { usableStateFolder } from './world.ts';

export interface SiteClient {
  /** The JSON that the API answers with. Throws what it refuses with: its code and its words. */
  ask<T>(method: string, path: string, body?: Uint8Array | object): Promise<T>;
  close(): void;
}

/** A search takes milliseconds, a large upload over a slow line a minute. */
const ANSWER_MS = 120_000;
/** Longer than any answer of ours; more is not read. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Codes that an API may say: a foreign one does not choose how this program ends. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'REQUEST_INVALID',
  'TOKEN_REFUSED',
  'PERMISSION',
  'NOT_FOUND',
  'TORRENT_UNKNOWN',
  'NAME_UNKNOWN',
  'NAME_TAKEN',
  'FILE_TOO_LARGE',
  'METAINFO_INVALID',
  'MTORRENT_INVALID',
  'TOO_MANY_REQUESTS',
  'DISK_FULL',
  'STATE_INVALID',
  'IO',
]);

/** A tracker elsewhere. `token`: as given; else `$SHOAL_TOKEN`. */
export function remoteSite(url: string, token: string | undefined): SiteClient {
  const secret = token ?? process.env.SHOAL_TOKEN;
  return {
    ask: async <T>(method: string, path: string, body?: Uint8Array | object) => {
      const request = requestFor(`${url}${path}`, method, body);
      if (secret !== undefined && secret !== '') request.headers.set('authorization', `Bearer ${secret.trim()}`);
      return readAnswer<T>(await send(request, url), url);
    },
    close: () => undefined,
  };
}

/** The tracker of a state folder, whether it runs or not: one that runs sees what changed within a second. */
export async function localSite(state: string | undefined): Promise<SiteClient> {
  const folder = usableStateFolder(state);
  const [{ Site }, { makeApp }, { Gatekeeper }] = await Promise.all([
    import('../tracker/site/site.ts'),
    import('../tracker/site/app.ts'),
    import('../tracker/site/gatekeeper.ts'),
  ]);
  const world = { nowMs: () => Date.now(), randomBytes: (length: number) => new Uint8Array(randomBytes(length)) };
  const site = await Site.open(join(folder, DATABASE_NAME), world, () => undefined);
  const gatekeeper = new Gatekeeper(site, 'open', world);
  const countSwarms = (): Promise<never> => Promise.reject(new ShoalError('STOPPED', 'no tracker to ask'));
  const about = { mode: 'open', publicUrl: null, maxUploadBytes: MAX_ANSWER_BYTES } as const;
  const app: App = makeApp({ ...about, site, gatekeeper, countSwarms }, note);
  return {
    ask: async <T>(method: string, path: string, body?: Uint8Array | object) => {
      const request = requestFor(`http://localhost${path}`, method, body);
      return readAnswer<T>(await app.fetch(request, { address: 'owner', isOwner: true }), 'the state folder');
    },
    close: () => site.close(),
  };
}

function requestFor(url: string, method: string, body: Uint8Array | object | undefined): Request {
  if (body === undefined) return new Request(url, { method });
  const isFile = body instanceof Uint8Array;
  const type = isFile ? 'application/x-bittorrent' : 'application/json';
  const bytes = isFile ? new Uint8Array(body) : JSON.stringify(body);
  return new Request(url, { method, body: bytes, headers: { 'content-type': type } });
}

async function send(request: Request, url: string): Promise<Response> {
  try {
    return await fetch(request, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = error instanceof Error && error.name === 'TimeoutError' ? 'it does not answer' : describeError(cause);
    throw new ShoalError('CONNECT_FAILED', `${url} cannot be asked: ${why}`, error);
  }
}

async function readAnswer<T>(response: Response, whom: string): Promise<T> {
  const answer = parse(await readText(response, whom)) as T & {
    readonly error?: { code?: unknown; message?: unknown };
  };
  if (response.ok && answer !== null) return answer;
  const { code, message } = answer?.error ?? {};
  if (typeof code === 'string' && typeof message === 'string' && CODES.has(code)) {
    throw new ShoalError(code as ErrorCode, message.slice(0, 500));
  }
  if (response.status >= 300 && response.status < 400) {
    const to = response.headers.get('location') ?? 'elsewhere';
    throw new ShoalError('HTTP_FAILED', `${whom} points to ${to}: give that address`);
  }
  const hint =
    response.status === 404 || response.ok ? 'it has no catalogue; is it shoal tracker --catalogue?' : 'try again';
  throw new ShoalError('HTTP_FAILED', `${whom} answers with status ${response.status}: ${hint}`);
}

async function readText(response: Response, whom: string): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) throw new ShoalError('HTTP_FAILED', `${whom} answers with too much`);
  }
  return text;
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
