import { describe, expect, it } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { ApiFault } from '../tracker-api.ts';
import { FILES_PER_PAGE, FilePages } from './file-pages.ts';
import { windowOf } from './window.ts';

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe('the files of a torrent', () => {
  it('are asked for once, where they are looked at', async () => {
    const api = new FakeApi();
    api.fileCount = 10_000;
    const pages = new FilePages(api, 'ab');
    pages.want(490, 520);
    pages.want(495, 525);
    expect(pages.at(500)).toBeNull();
    await settled();
    expect(pages.at(500)).toEqual({ path: 'file 500', length: 1 });
    expect(api.asked).toEqual(['files ab 0', 'files ab 500']);
  });

  it('are let go where somebody looks at all of them', async () => {
    const api = new FakeApi();
    api.fileCount = 1_000_000;
    const pages = new FilePages(api, 'ab');
    for (let page = 0; page < 100; page++) {
      pages.want(page * FILES_PER_PAGE, page * FILES_PER_PAGE + 1);
      await settled();
    }
    expect([pages.at(0), pages.at(99 * FILES_PER_PAGE)?.length]).toEqual([null, 1]);
  });

  it('are asked for again after a fault', async () => {
    const api = new FakeApi();
    api.fileCount = 5;
    api.fault = new ApiFault('OFFLINE', 'gone');
    const pages = new FilePages(api, 'ab');
    pages.want(0, 5);
    await settled();
    expect(pages.fault.value).toBe(api.fault);
    api.fault = null;
    pages.want(0, 5);
    await settled();
    expect([pages.fault.value, pages.at(4)?.path]).toEqual([null, 'file 4']);
  });

  it('are made as rows only around what is seen', () => {
    expect(windowOf(0, 320, 32, 1000)).toEqual({ first: 0, end: 20 });
    expect(windowOf(3200, 320, 32, 1000)).toEqual({ first: 90, end: 120 });
    expect(windowOf(1e9, 320, 32, 1000)).toEqual({ first: 999, end: 1000 });
    expect(windowOf(0, 320, 32, 0)).toEqual({ first: 0, end: 0 });
  });
});
