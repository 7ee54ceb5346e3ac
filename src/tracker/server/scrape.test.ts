import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../platform/sim/index.ts';
import { PathKey } from './access.ts';
import { ScrapeRules } from './scrape.ts';
import { SwarmTable } from './table/swarm-table.ts';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const OTHER = Uint8Array.of(203, 0, 113, 1);
const table = (): SwarmTable => SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 10, maxPeers: 100 });

/** Scrapes of `ip` at one moment that are not refused, of 100, each of so many info hashes. */
function allowed(rules: ScrapeRules, ip: Uint8Array, hashes = 1): number {
  let count = 0;
  for (let i = 0; i < 100; i++) if (rules.refusal(new PathKey(), ip, 1000, hashes) === null) count++;
  return count;
}

describe('ScrapeRules', () => {
  it('allow an address a burst of 20 s, and those of this machine any number', () => {
    const rules = new ScrapeRules(table(), { scrapesPerSecond: 2 });
    expect([allowed(rules, OTHER), allowed(rules, LOOPBACK)]).toEqual([40, 100]);
  });

  it('count what asks for many torrents as several', () => {
    const rules = (): ScrapeRules => new ScrapeRules(table(), { scrapesPerSecond: 2 });
    const counts = [0, 1, 8, 9, 16, 128].map((hashes) => allowed(rules(), OTHER, hashes));
    expect(counts).toEqual([40, 40, 40, 20, 20, 2]);
  });

  it('limit addresses of this machine likewise where that is wanted', () => {
    const rules = new ScrapeRules(table(), { scrapesPerSecond: 2, limitsLoopback: true });
    expect(allowed(rules, LOOPBACK)).toBe(40);
  });

  it('count a scrape that access refuses: guessing passkeys is no way around', () => {
    const access = {
      check: () => null,
      shows: () => true,
      checkScrape: () => ({ reason: 'no', retryInMinutes: null }),
    };
    const rules = new ScrapeRules(table(), { access, scrapesPerSecond: 1 });
    const reasons = Array.from({ length: 30 }, () => rules.refusal(new PathKey(), OTHER, 1000, 1)?.reason);
    expect(reasons.filter((reason) => reason === 'no')).toHaveLength(20);
    expect(reasons.at(-1)).toBe('too many scrapes from your address');
  });
});
