import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import { buildInfo, buildMetainfo, layOut } from '../metainfo/build.ts';
import type { Http, HttpResponse } from '../ports/http.ts';
import { factsOf } from './facts.ts';
import { decodeFile, readFileSource, readSource } from './source.ts';

const TORRENT: Uint8Array = buildMetainfo({
  info: buildInfo({
    kind: 'v1',
    name: 'a.txt',
    singleFile: true,
    pieceLengthBytes: 16384,
    files: layOut([{ path: ['a.txt'], lengthBytes: 5 }], 'v1', 16384).files,
    pieceHashes: new Uint8Array(20),
  }),
  trackers: [['http://t.example/announce']],
});
const MTORRENT: Uint8Array = concatBytes([
  utf8('http://one.example/a\nhttp://two.example/a\nb.bin\n7\n'),
  new Uint8Array(20),
]);

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-source-'));
  await writeFile(join(folder, 'a.torrent'), TORRENT);
  await writeFile(join(folder, 'b.mtorrent'), MTORRENT);
});
afterAll(() => rm(folder, { recursive: true }));

function httpWith(response: Partial<HttpResponse>): { http: () => Promise<Http> } {
  const whole = { status: 200, headers: {}, body: new Uint8Array(), url: '', ...response };
  return { http: async () => ({ get: async () => whole }) };
}
const noHttp = { http: () => Promise.reject(new Error('not needed')) };

describe('a source', () => {
  it('is a torrent file', async () => {
    const source = await readSource(join(folder, 'a.torrent'), noHttp);
    expect(source.kind === 'torrent' && factsOf(source.metainfo)).toMatchObject({
      name: 'a.txt',
      length: 5,
      pieceCount: 1,
      infoHashV2: null,
      trackers: [['http://t.example/announce']],
      files: [{ path: 'a.txt', length: 5 }],
    });
  });

  it('is an mtorrent file, read as the torrent that it stands for', async () => {
    const source = await readFileSource(join(folder, 'b.mtorrent'));
    expect(source.kind).toBe('mtorrent');
    expect(source.metainfo.trackers).toEqual([['http://one.example/a'], ['http://two.example/a']]);
    const again = decodeFile(source.bytes, 'x.torrent');
    expect(factsOf(again.metainfo)).toEqual(factsOf(source.metainfo));
    // Told by what is in it, whatever its name.
    expect(decodeFile(MTORRENT, 'renamed').kind).toBe('mtorrent');
  });

  it('is a magnet link', async () => {
    const link = `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=x`;
    expect(await readSource(link, noHttp)).toMatchObject({ kind: 'magnet', text: link, magnet: { name: 'x' } });
    await expect(readSource('magnet:?xt=urn:btih:zz', noHttp)).rejects.toMatchObject({ code: 'MAGNET_INVALID' });
  });

  it('is the URL of a torrent file', async () => {
    const source = await readSource('https://a.example/a.torrent', httpWith({ body: TORRENT }));
    expect(source.kind).toBe('torrent');
    const missing = readSource('http://a.example/a', httpWith({ status: 404 }));
    await expect(missing).rejects.toMatchObject({ code: 'HTTP_FAILED', message: expect.stringContaining('404') });
    const page = readSource('http://a.example/a', httpWith({ body: utf8('<html>') }));
    await expect(page).rejects.toMatchObject({ code: 'METAINFO_INVALID' });
  });

  it('is refused with the name of the file when it is nothing of this', async () => {
    await expect(readSource(join(folder, 'none'), noHttp)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(() => decodeFile(utf8('hello'), 'x.txt')).toThrow(/"x.txt" is no torrent file/);
    expect(() => decodeFile(utf8('d4:info'), 'x.torrent')).toThrow(/"x.torrent": /);
    expect(() => decodeFile(utf8('x'), 'x.mtorrent')).toThrow(expect.objectContaining({ code: 'MTORRENT_INVALID' }));
    await expect(readFileSource('magnet:?xt=x')).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('fails with a code, whatever bytes it has', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, torrent) => {
        try {
          decodeFile(torrent ? concatBytes([utf8('d'), bytes]) : bytes, 'x.mtorrent');
        } catch (error) {
          expect(isShoalError(error)).toBe(true);
        }
      }),
    );
  });
});
