// The tracker's API over HTTP: the one place where the page speaks to anything.

import { passkey, token } from './access/keys.ts';
import { ApiFault, type PublishedJson, type TrackerApi } from './tracker-api.ts';

/** A tracker that takes longer is as good as away. */
const PATIENCE_MS = 10_000;
const OFFLINE = 'the tracker does not answer';

/** `root` ends with a slash. */
export function httpApi(root: URL): TrackerApi {
  const url = (path: string, query?: URLSearchParams): string => {
    const full = new URL(path, root);
    full.search = (query ?? '').toString();
    if (passkey.value !== '') full.searchParams.set('passkey', passkey.value);
    return full.href;
  };
  const ask = (path: string, query?: URLSearchParams, method = 'GET'): Promise<Response> =>
    answerOf(url(path, query), { method, headers: headers() });
  const json = async <T>(path: string, query?: URLSearchParams): Promise<T> => read<T>(await ask(path, query));
  /** Live numbers are for everybody: no key goes with them. */
  const open = async <T>(path: string): Promise<T> => read<T>(await answerOf(new URL(path, root).href, {}));
  const own = (hash: string): string => `api/torrents/${encodeURIComponent(hash)}`;
  return {
    url,
    stats: () => open('stats'),
    history: () => open('stats/history'),
    search: (query) => json('api/search', query),
    torrent: (hash) => json(own(hash)),
    files: (hash, offset, limit) =>
      json(`${own(hash)}/files`, new URLSearchParams({ offset: String(offset), limit: String(limit) })),
    torrentFile: async (hash) => (await ask(`${own(hash)}/torrent`)).blob(),
    remove: async (hash) => void (await ask(own(hash), undefined, 'DELETE')),
    publish: (file, onSent) => upload(new URL('api/torrents', root), file, onSent),
  };
}

function headers(): Record<string, string> {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}

async function answerOf(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { ...init, credentials: 'omit', signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new ApiFault('OFFLINE', OFFLINE);
  }
  if (response.ok) return response;
  throw faultOf(response.status, await response.text().catch(() => ''));
}

/** fetch does not tell how far an upload is. */
function upload(to: URL, file: Blob, onSent: (fraction: number) => void): Promise<PublishedJson> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', to);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/x-bittorrent');
    request.upload.onprogress = ({ loaded, total }) => onSent(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new ApiFault('OFFLINE', OFFLINE));
    request.onload = () => {
      try {
        if (request.status >= 300) throw faultOf(request.status, request.responseText);
        resolve(parse<PublishedJson>(request.responseText));
      } catch (error) {
        reject(error);
      }
    };
    request.send(file);
  });
}

async function read<T>(response: Response): Promise<T> {
  return parse<T>(await response.text().catch(() => ''));
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiFault('INTERNAL', 'what answers here is no tracker');
  }
}

/** A proxy in between may answer with anything. */
function faultOf(status: number, text: string): ApiFault {
  try {
    const { code, message } = (JSON.parse(text) as { error: { code: ApiFault['code']; message: string } }).error;
    return new ApiFault(code, String(message));
  } catch {
    return new ApiFault(status === 404 ? 'NOT_FOUND' : 'INTERNAL', `the tracker answered with status ${status}`);
  }
}
