// Makes the picture of the tracker's page in docs/images: a real tracker that clients announce to for some minutes, seen in
// Chromium. `npm run build && node scripts/pictures.mjs [MINUTES]`
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { createNodeEnv } from '../dist/index.js';
import { TrackerClient } from '../dist/tracker/index.js';
import { HOME } from './run.mjs';

const PICTURE = join(HOME, 'docs', 'images', 'tracker-status.png');
const MINUTES = Number(process.argv[2] ?? 4);
const NAMES = ['Field recordings 2026', 'Maps of the coast', 'Nightly build 4711', 'Llama weights', 'Weather archive'];
const MAX_PORT = 60_000;
const LOCAL = Uint8Array.of(127, 0, 0, 1);

const folder = mkdtempSync(join(tmpdir(), 'shoal-pictures-'));
const env = { ...process.env, XDG_STATE_HOME: folder };
const program = [join(HOME, 'bin', 'shoal.js'), 'tracker'];
const token = spawnSync(process.execPath, [...program, 'token', 'add', 'ci'], { env, encoding: 'utf8' }).stdout.trim();
const tracker = spawn(process.execPath, [...program, '--catalogue', '--json', '--listen', '127.0.0.1:0'], { env });
try {
  /** @type {string} */
  const line = await new Promise((resolve) => createInterface({ input: tracker.stdout }).once('line', resolve));
  const base = `http://${JSON.parse(line).listen[0]}`;
  const hashes = [];
  for (const name of NAMES) hashes.push(await publish(base, name));
  const enough = new AbortController();
  const announcing = announceUntil(enough.signal, base, hashes);
  await new Promise((resolve) => setTimeout(resolve, MINUTES * 60_000));
  await takePicture(base);
  enough.abort();
  await announcing;
} finally {
  tracker.kill();
  rmSync(folder, { recursive: true, force: true });
}

/** @param {string} base @param {string} name @returns {Promise<string>} its info hash */
async function publish(base, name) {
  const length = 40 * 2 ** 20 * (1 + (name.length % 7));
  const pieces = '\0'.repeat((20 * length) / 2 ** 20);
  const info = `d6:lengthi${length}e4:name${name.length}:${name}12:piece lengthi${2 ** 20}e6:pieces${pieces.length}:${pieces}e`;
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${base}/api/torrents`, {
    method: 'POST',
    headers,
    body: Buffer.from(`d4:info${info}e`),
  });
  return (await response.json()).torrent.infoHash;
}

/**
 * Peers come over HTTP and UDP, now more of them, now fewer.
 * @param {AbortSignal} end @param {string} base @param {readonly string[]} hashes
 */
async function announceUntil(end, base, hashes) {
  const world = createNodeEnv({ stateFolder: join(folder, 'clients') });
  const client = new TrackerClient(world, { from: LOCAL });
  const others = Array.from({ length: 40 }, (_, i) => createHash('sha1').update(`${i}`).digest('hex'));
  const all = [...hashes, ...others];
  for (let turn = 0; !end.aborted; turn++) {
    const wave = 1 + Math.sin(turn / 200);
    const some = Array.from({ length: Math.round(4 + 10 * wave) }, (_, i) => {
      const infoHash = new Uint8Array(Buffer.from(all[Math.floor(Math.random() ** 2 * all.length)], 'hex'));
      const port = 1024 + Math.floor(Math.random() * MAX_PORT);
      const left = Math.random() < 0.3 ? 0 : 5;
      const request = { infoHash, peerId: new Uint8Array(randomBytes(20)), port, left, uploaded: 0, downloaded: 0 };
      const rest = { event: 'started', numWant: null, key: 1, trackerId: null };
      const scheme = i % 4 === 0 ? 'http' : 'udp';
      const signal = AbortSignal.timeout(5000);
      return client.announce(`${base.replace('http', scheme)}/announce`, { ...request, ...rest }, { signal });
    });
    await Promise.allSettled(some);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await client.close();
  await world.close();
}

/** @param {string} base */
async function takePicture(base) {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'];
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args });
  const page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  await page.goto(base);
  await page.locator('.plot').first().waitFor();
  // Rates are of a few seconds, of a page that was looked at so long.
  await page.waitForTimeout(6000);
  await page.screenshot({ path: PICTURE, fullPage: true });
  await browser.close();
}
