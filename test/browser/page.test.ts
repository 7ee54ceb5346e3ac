// The tracker's page in Chromium, with a real tracker behind it.

import { mkdir } from 'node:fs/promises';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../../src/base/bytes.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import { createNodeEnv } from '../../src/platform/node/env.ts';
import { nodeHashes } from '../../src/platform/node/hashes.ts';
import { TrackerClient } from '../../src/tracker/client/client.ts';
import { Workplace } from '../e2e/program.ts';
import { torrent } from '../support/plain-torrents.ts';
import { torrentNamed } from '../support/site-stage.ts';
import { TrackerStage } from './stage.ts';
import { hasChromium, openBrowser, Visit, type VisitOptions } from './visitor.ts';

const FILES = 3000;
const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '<script>alert(1)</script>',
  'invoice\u202efdp.exe',
  'a\u0000b\u0007c',
  'x'.repeat(900),
  `Zalgo e${'\u0301'.repeat(300)}`,
  '"><svg onload=alert(1)>',
];
/** Where pictures of all views are to go; none are taken without. */
const PICTURES = process.env.SHOAL_PICTURES;

let browser: Browser;
let place: Workplace;
let stage: TrackerStage;

async function visit(
  options: Partial<VisitOptions>,
  act: (visitor: Visit, page: Visit['page']) => Promise<void>,
): Promise<void> {
  const visitor = await Visit.open(browser, { base: stage.base, ...options });
  try {
    await act(visitor, visitor.page);
  } finally {
    await visitor.close();
  }
}

// Most of a test is waiting for the page to ask again: they wait side by side.
describe.skipIf(!hasChromium).concurrent('the page of a tracker (skipped without /usr/bin/chromium)', () => {
  beforeAll(async () => {
    place = await Workplace.open();
    [browser, stage] = await Promise.all([openBrowser(), TrackerStage.open(place, '--catalogue')]);
  });
  afterAll(async () => {
    await browser?.close();
    await place?.close();
  });

  it('shows announces as they come, by protocol', async () => {
    await visit({}, async (_, page) => {
      const { infoHash } = await stage.publishNamed('busy');
      await page.goto(stage.base);
      await page.getByText('Live', { exact: true }).waitFor();
      const figure = (name: string) => page.locator('.cards div', { hasText: name }).locator('dd');
      const before = Number(await figure('Peers').textContent());
      const env = createNodeEnv({ stateFolder: place.folder });
      const client = new TrackerClient(env, { from: Uint8Array.of(127, 0, 0, 1) });
      await stage.announce(infoHash, 0, 7001);
      const announce = { infoHash: fromHex(infoHash)!, peerId: new Uint8Array(20).fill(65), port: 7002 };
      const rest = {
        uploaded: 0,
        downloaded: 0,
        left: 5,
        event: 'started',
        numWant: null,
        key: 1,
        trackerId: null,
      } as const;
      const signal = AbortSignal.timeout(10_000);
      await client.announce(`udp://127.0.0.1:${stage.port}/announce`, { ...announce, ...rest }, { signal });
      await client.close();
      await env.close();
      const leave = await stage.announceWeb(infoHash);
      const peers = async (): Promise<number> => Number(await figure('Peers').textContent());
      await expect.poll(peers, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + 3);
      for (const name of ['http', 'udp', 'ws']) {
        const rate = page.locator(`[data-figure="${name}-announces"]`);
        await expect.poll(() => rate.textContent(), { timeout: 30_000 }).toMatch(/[1-9]/);
      }
      leave();
      await page.locator('.plot').first().waitFor();
      expect(await page.locator('.plot path.line').count()).toBeGreaterThan(5);
      expect(await page.locator('.plot .hidden').first().textContent()).toMatch(
        /^Announces per second, last hour. HTTP/,
      );
    });
  });

  it('says that the tracker is away, and goes on when it is back', async () => {
    const own = await Workplace.open();
    try {
      const other = await TrackerStage.open(own);
      await visit({ base: other.base, mayBeOffline: true }, async (_, page) => {
        await page.goto(other.base);
        await page.getByText('Live', { exact: true }).waitFor();
        expect(await page.getByRole('link', { name: 'Search' }).count()).toBe(0);
        await other.kill();
        await page.getByText('The tracker does not answer since').waitFor();
        await other.startAgain();
        await page.getByText('Live', { exact: true }).waitFor();
        await page.goto(`${other.base}/search`);
        await page.getByText('This tracker runs without --catalogue.').waitFor();
      });
    } finally {
      await own.close();
    }
  });

  it('finds what was published, and gives it away', async () => {
    const bytes = torrentNamed('Wanted thing', 123_456);
    const { infoHash } = await stage.publish(bytes);
    await stage.announce(infoHash, 0, 7101);
    await visit({}, async (_, page) => {
      await page.goto(stage.base);
      await page.getByRole('link', { name: 'Search' }).click();
      await page.getByRole('searchbox', { name: 'Words' }).fill('wanted');
      await page.getByText('Filters').click();
      await page.getByLabel('Size from (MB)').fill('0.1');
      await page.keyboard.press('Enter');
      await page.getByText('1 torrent', { exact: true }).waitFor();
      expect(new URL(page.url()).search).toBe('?q=wanted&minSize=100000');
      const feed = await page.getByRole('link', { name: 'RSS' }).getAttribute('href');
      expect(await (await fetch(feed!)).text()).toContain('Wanted thing');
      await page.getByRole('link', { name: 'Wanted thing' }).click();
      await page.getByRole('heading', { name: 'Wanted thing', level: 1 }).waitFor();
      expect(await page.title()).toBe('Wanted thing · Shoal tracker');
      const seeds = page.locator('.cards div', { hasText: 'Seeds' }).locator('dd');
      expect(await seeds.textContent()).toBe('1');
      await stage.announce(infoHash, 0, 7102);
      await expect.poll(() => seeds.textContent(), { timeout: 30_000 }).toBe('2');
      await page.getByRole('button', { name: 'Copy magnet link' }).click();
      await page.getByText('Copied.').waitFor();
      const magnet = await page.getByRole('link', { name: 'Magnet link' }).getAttribute('href');
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(magnet);
      expect(magnet).toContain(infoHash);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Download .torrent' }).click(),
      ]);
      const stream = await download.createReadStream();
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      expect(parseMetainfo(new Uint8Array(Buffer.concat(parts)), nodeHashes).info.name).toBe('Wanted thing');
      await page.goBack();
      await page.getByText('1 torrent', { exact: true }).waitFor();
      expect(await page.getByRole('searchbox').inputValue()).toBe('wanted');
    });
  });

  it('turns the pages of a long result, and scrolls through thousands of files', async () => {
    const files = Array.from({ length: FILES }, (_, i) => ({ length: 1, path: ['folder', `file ${i}`] }));
    const many = torrent({ name: 'Files', files, 'piece length': 16384, pieces: new Uint8Array(20) });
    const { infoHash } = await stage.publish(many);
    await Promise.all(Array.from({ length: 30 }, (_, i) => stage.publishNamed(`leaf ${i}`)));
    await visit({}, async (_, page) => {
      await page.goto(`${stage.base}/search?q=leaf`);
      await page.getByText('1 to 25').waitFor();
      await page.getByRole('link', { name: 'Next' }).click();
      await page.getByText('26 to 30').waitFor();
      expect(await page.locator('.hits li').count()).toBe(5);
      await page.goto(`${stage.base}/torrent/${infoHash}`);
      await page.getByText('folder/file 0', { exact: true }).waitFor();
      const box = page.getByRole('region', { name: 'Files' });
      await box.focus();
      await page.keyboard.press('End');
      await page.getByText(`folder/file ${FILES - 1}`, { exact: true }).waitFor();
      expect(await page.locator('.files li').count()).toBeLessThan(100);
    });
  });

  it('publishes what is uploaded, and says in words what is wrong', async () => {
    await visit({ mayBeRefused: true }, async (_, page) => {
      const file = (name: string, buffer: Uint8Array) => ({ name, mimeType: '', buffer: Buffer.from(buffer) });
      await page.goto(`${stage.base}/publish`);
      const input = page.locator('input[type=file]');
      await page.getByLabel('Token').fill('shoal_wrong');
      await input.setInputFiles(file('one.torrent', torrentNamed('uploaded one')));
      await page.getByText('this token is unknown, or was removed').waitFor();
      await page.getByLabel('Token').fill(stage.token);
      await page.getByRole('button', { name: 'Try what failed again' }).click();
      await page.getByText('1 of 1 published').waitFor();
      await input.setInputFiles([
        file('two.torrent', torrentNamed('uploaded two')),
        file('x.torrent', Uint8Array.of(1)),
      ]);
      await page.getByText('2 of 3 published, 1 failed').waitFor();
      expect(await page.locator('.bad').textContent()).toMatch(/bencode|torrent/);
      expect(await page.evaluate('JSON.stringify(sessionStorage) + JSON.stringify(localStorage)')).not.toContain(
        'shoal_',
      );
      await page.getByRole('link', { name: 'uploaded two' }).click();
      await page.getByText('Remove from the catalogue').click();
      expect(await page.getByLabel('Token').inputValue()).toBe(stage.token);
      await page.getByRole('button', { name: 'Remove for good' }).click();
      await page.getByText('The torrent is gone from the catalogue.').waitFor();
      await page.goto(`${stage.base}/search?q=uploaded`);
      await page.getByText('1 torrent', { exact: true }).waitFor();
    });
  });

  it('takes dropped files', async () => {
    await visit({}, async (_, page) => {
      await page.goto(`${stage.base}/publish`);
      await page.getByLabel('Token').fill(stage.token);
      await page.getByLabel('keep until this tab is closed').check();
      const data = await page.evaluateHandle(`(() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array([${torrentNamed('dropped')}])], 'dropped.torrent'));
        return transfer;
      })()`);
      await page.dispatchEvent('.drop', 'drop', { dataTransfer: data });
      await page.getByText('1 of 1 published').waitFor();
      await page.reload();
      expect(await page.getByLabel('Token').inputValue()).toBe(stage.token);
    });
  });

  it('shows hostile names for what they are, and runs nothing of them', async () => {
    const told = await Promise.all(HOSTILE.map((name) => stage.publish(torrentNamed(name, 5, { comment: name }))));
    await visit({ widthPx: 360 }, async (visitor, page) => {
      await page.goto(`${stage.base}/search`);
      await page.locator('.hits li').first().waitFor();
      expect(await visitor.overflowPx()).toBeLessThanOrEqual(0);
      for (const { infoHash } of told) {
        await page.goto(`${stage.base}/torrent/${infoHash}`);
        await page.locator('.cards').waitFor();
        expect(await page.locator('main :is(img, script, svg, iframe)').count()).toBe(0);
        expect(await visitor.overflowPx()).toBeLessThanOrEqual(0);
      }
      await page.goto(`${stage.base}/torrent/${told[2]!.infoHash}`);
      await page.getByRole('heading', { name: 'invoice‹U+202E›fdp.exe' }).waitFor();
      await page.goto(`${stage.base}/torrent/${told[0]!.infoHash}`);
      await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor();
    });
  });

  it('asks for passkey or token at a private tracker', async () => {
    const own = await Workplace.open();
    try {
      const { stdout } = await own.run('tracker', 'user', 'add', 'ann', '--json');
      const { passkey } = JSON.parse(stdout) as { passkey: string };
      const other = await TrackerStage.open(own, '--access', 'private', '--catalogue');
      await other.publishNamed('secret');
      await visit({ base: other.base, mayBeRefused: true }, async (_, page) => {
        await page.goto(`${other.base}/search`);
        await page.getByText('this tracker is private').waitFor();
        await page.getByLabel('Passkey').fill('mistyped');
        await page.getByRole('button', { name: 'Use' }).click();
        await page.getByText('a passkey has 32 hex digits').waitFor();
        await page.getByLabel('Passkey').fill(passkey);
        await page.getByRole('button', { name: 'Use' }).click();
        await page.getByRole('link', { name: 'secret' }).click();
        const magnet = page.getByRole('link', { name: 'Magnet link' });
        expect(await magnet.getAttribute('href')).toContain(passkey);
        expect(page.url()).not.toContain(passkey);
      });
      await visit({ base: other.base, mayBeRefused: true }, async (_, page) => {
        await page.goto(`${other.base}/search`);
        await page.getByLabel('Token').fill(other.token);
        await page.getByRole('button', { name: 'Use' }).click();
        await page.getByRole('link', { name: 'secret' }).click();
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('link', { name: 'Download .torrent' }).click(),
        ]);
        expect(download.suggestedFilename()).toBe('secret.torrent');
      });
    } finally {
      await own.close();
    }
  });

  it('can be used with the keyboard, and remembers light or dark', async () => {
    await visit({}, async (_, page) => {
      await page.goto(stage.base);
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByRole('link', { name: 'Search' }).waitFor();
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toContain('Skip to content');
      for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Search' }).waitFor();
      await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
      const theme = (): Promise<unknown> => page.evaluate('document.documentElement.dataset.theme');
      expect(await theme()).toBe('light');
      await page.getByLabel('Colours').selectOption('dark');
      expect(await theme()).toBe('dark');
      await page.reload();
      await page.getByRole('heading', { name: 'Search' }).waitFor();
      expect(await theme()).toBe('dark');
    });
  });

  it('works below a path of a reverse proxy', async () => {
    const proxy = await openProxy(stage.base, '/tracker');
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await visit({ base: `${base}/tracker` }, async (_, page) => {
        await stage.publishNamed('behind');
        await page.goto(`${base}/tracker/`);
        await page.getByText('Live', { exact: true }).waitFor();
        await page.getByRole('link', { name: 'Search' }).click();
        await page.getByRole('link', { name: 'behind' }).click();
        await page.getByRole('heading', { name: 'behind' }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'behind' }).waitFor();
        expect(new URL(page.url()).pathname).toMatch(/^\/tracker\/torrent\/[0-9a-f]{40}$/);
      });
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  describe.each([
    { look: 'light', isDark: false, widthPx: 1100 },
    { look: 'dark', isDark: true, widthPx: 1100 },
    { look: 'phone', isDark: false, widthPx: 360 },
  ])('in the look $look', ({ look, isDark, widthPx }) => {
    it('shuts nobody out, and fits', async () => {
      await expect.poll(() => stage.stepsMeasured(), { timeout: 30_000 }).toBeGreaterThan(0);
      const { infoHash } = await stage.publishNamed('For all');
      const views = { status: '', search: 'search', torrent: `torrent/${infoHash}`, publish: 'publish' };
      await visit({ isDark, widthPx, mayBeRefused: true }, async (visitor, page) => {
        for (const [view, path] of Object.entries(views)) {
          await page.goto(`${stage.base}/${path}`);
          await page
            .locator({ status: '.plot', search: '.hits li', torrent: '.files li', publish: '.drop' }[view]!)
            .first()
            .waitFor();
          // Narrow or wide, the colours and the names are the same.
          if (look !== 'phone') expect(await visitor.barriers(), view).toEqual([]);
          expect(await visitor.overflowPx(), view).toBeLessThanOrEqual(0);
          if (PICTURES === undefined) continue;
          await mkdir(PICTURES, { recursive: true });
          await page.screenshot({ path: join(PICTURES, `${view}-${look}.png`), fullPage: true });
        }
      });
    });
  });
});

/** Passes on what is below `prefix`, without it. */
async function openProxy(to: string, prefix: string): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    if (!path.startsWith(prefix)) {
      outgoing.writeHead(404).end();
      return;
    }
    const options = { method: incoming.method!, headers: incoming.headers };
    const passed = httpRequest(`${to}${path.slice(prefix.length)}`, options, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
