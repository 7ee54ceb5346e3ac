// The files of the tracker's web page, as `npm run build` made them: read once, at the start.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { PageFile } from '../tracker/server/http/pages.ts';
import { HOME } from './home.ts';

const FOLDER = new URL('dist/web/', HOME);
/** Their names have a hash of what is in them. */
const NAMED_BY_CONTENT = /^assets\/.+-[\w-]{8}\.\w+$/;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const ZIPPED = '.gz';

/** None where the page was not built. */
export async function readWebPages(): Promise<readonly PageFile[]> {
  const names = await readdir(FOLDER, { recursive: true }).catch(() => []);
  const paths = names.map((name) => name.replaceAll('\\', '/'));
  const all = new Set(paths);
  return Promise.all(
    paths
      .filter((path) => extname(path) in TYPES)
      .map(async (path) => {
        const zipped = `${path}${ZIPPED}`;
        const [bytes, gzip] = await Promise.all([read(path), all.has(zipped) ? read(zipped) : null]);
        const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
        const etag = NAMED_BY_CONTENT.test(path) ? null : `"${hash}"`;
        return { path, type: TYPES[extname(path)]!, bytes, gzip, etag };
      }),
  );
}

/** Memory of its own, which threads can be sent without what else is in Node's pool. */
async function read(path: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(new URL(path, FOLDER)));
}
