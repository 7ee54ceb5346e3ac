import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noise, sampleTorrent, testHashes } from '../../test/support/sample-torrents.ts';
import { fromHex, toHex } from '../base/bytes.ts';
import { isShoalError } from '../base/errors.ts';
import { formatMagnet, magnetOf, parseMagnet } from './magnet.ts';
import { parseMetainfo } from './parse.ts';
import type { Magnet } from './types.ts';

const V1 = 'c12fe1c06bba254a9dc9f519b335aa7c1367a88a';
const V2 = 'caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e';
const link = (rest: string): string => `magnet:?xt=urn:btih:${V1}${rest}`;

function problem(text: string): string {
  try {
    parseMagnet(text);
  } catch (error) {
    if (isShoalError(error, 'MAGNET_INVALID')) return error.message;
    throw error;
  }
  return 'fine';
}

describe('parseMagnet', () => {
  it('reads info hashes in hex, in base32, and as a multihash', () => {
    expect(toHex(parseMagnet(`magnet:?xt=urn:btih:${V1.toUpperCase()}`).infoHashV1!)).toBe(V1);
    expect(toHex(parseMagnet('magnet:?xt=urn:btih:YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK').infoHashV1!)).toBe(V1);
    expect(parseMagnet('MAGNET:?XT=URN:BTIH:yex6dqdlxisuvhoj6um3gnnkpqjwpkek').infoHashV1).toEqual(fromHex(V1));
    const v2 = parseMagnet(`magnet:?xt=urn:btmh:1220${V2}`);
    expect(v2.infoHashV1).toBeNull();
    expect(toHex(v2.infoHashV2!)).toBe(V2);
    const both = parseMagnet(`magnet:?xt.1=urn:btih:${V1}&xt.2=urn:btmh:1220${V2}`);
    expect([toHex(both.infoHashV1!), toHex(both.infoHashV2!)]).toEqual([V1, V2]);
  });

  it('reads everything else', () => {
    const text = link(
      '&dn=a+b%2Bc%20%E6%97%A5&xl=12345&tr=http%3A%2F%2Ft%2Fa%3Fb%3D1&tr.2=udp://u:1&ws=http://w/&x.pe=1.2.3.4:5&x.pe=%5B::1%5D:6' +
        '&x.pe=[::2]:7&x.pe=host.example:8&so=0,2,4,6-8',
    );
    expect(parseMagnet(` ${text}\n`)).toEqual({
      infoHashV1: fromHex(V1),
      infoHashV2: null,
      name: 'a b+c 日',
      lengthBytes: 12345,
      trackers: ['http://t/a?b=1', 'udp://u:1'],
      webSeeds: ['http://w/'],
      peers: [
        { host: '1.2.3.4', port: 5 },
        { host: '::1', port: 6 },
        { host: '::2', port: 7 },
        { host: 'host.example', port: 8 },
      ],
      selectOnly: [
        [0, 0],
        [2, 2],
        [4, 4],
        [6, 8],
      ],
    });
  });

  it('leaves out helpers that are malformed', () => {
    const magnet = parseMagnet(
      link('&dn=&xl=x&tr=nope&tr=http://a%20b/&ws=&x.pe=host&x.pe=h:0&x.pe=h:65536&x.pe=a%20b:5&&=&x&dn=%ff'),
    );
    expect(magnet).toMatchObject({
      name: null,
      lengthBytes: null,
      trackers: [],
      webSeeds: [],
      peers: [],
      selectOnly: null,
    });
  });

  it('shows no control characters in a name', () => {
    expect(parseMagnet(link('&dn=a%1b%5B31m%0Ab')).name).toBe('a [31m b');
  });

  it.each([
    ['http://example/', 'does not begin with magnet:?'],
    ['', 'does not begin'],
    ['magnet:?dn=x', 'no info hash'],
    ['magnet:?xt=urn:sha1:YEX6DQDLXISUVHOJ6UM3GNNKPQJWPKEK', 'no info hash'],
    [`magnet:?xt=urn:btih:${V1}0`, 'malformed'],
    [`magnet:?xt=urn:btih:${'g'.repeat(40)}`, 'malformed'],
    [`magnet:?xt=urn:btih:${'1'.repeat(32)}`, 'malformed'],
    [`magnet:?xt=urn:btmh:1114${V2}`, 'malformed'],
    [`magnet:?xt=urn:btmh:1220${V1}`, 'malformed'],
    [`magnet:?xt=urn:btih:${V1}&xt=urn:btih:${V1.replace('c', 'd')}`, 'two different'],
    [link('&so='), 'selection'],
    [link('&so=1-'), 'selection'],
    [link('&so=3-1'), 'selection'],
    [link('&so=1,x'), 'selection'],
    [link('&so=999999999'), 'selection'],
    [link(`&so=${'1,'.repeat(20_000)}1`), 'more than 10000'],
    [link(`&dn=${'x'.repeat(200_000)}`), 'longer than'],
  ])('refuses %.60s', (text, what) => {
    expect(problem(text)).toContain(what);
  });

  it('never throws anything but MAGNET_INVALID', () => {
    const part = fc.constantFrom(
      'xt=',
      'urn:btih:',
      V1,
      V2,
      'urn:btmh:1220',
      '&',
      'so=',
      '1-2,',
      'x.pe=',
      '[::1]:5',
      '%',
      '%e6',
      'dn=',
      '\ud800',
      'tr=http://a/',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (rest) => {
        problem(rest);
        problem(`magnet:?${rest}`);
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatMagnet', () => {
  it('writes what parseMagnet reads', () => {
    const bytes = (length: number) => fc.option(fc.uint8Array({ minLength: length, maxLength: length }));
    const url = fc.stringMatching(/^[a-z0-9/&=+%?é日]{1,20}$/).map((rest) => `http://${rest}`);
    const host = fc.constantFrom('1.2.3.4', '::1', 'host.example', 'büro');
    const range = fc.tuple(fc.nat(1000), fc.nat(1000)).map(([first, more]): [number, number] => [first, first + more]);
    const magnets = fc.record<Magnet>({
      infoHashV1: bytes(20),
      infoHashV2: bytes(32),
      name: fc.option(fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => !/\p{Cc}|^\s|\s$/u.test(name))),
      lengthBytes: fc.option(fc.maxSafeNat()),
      trackers: fc.uniqueArray(url, { maxLength: 4 }),
      webSeeds: fc.uniqueArray(url, { maxLength: 2 }),
      peers: fc.array(fc.record({ host, port: fc.integer({ min: 1, max: 65535 }) }), { maxLength: 3 }),
      selectOnly: fc.option(fc.array(range, { minLength: 1, maxLength: 5 })),
    });
    fc.assert(
      fc.property(magnets, (magnet) => {
        fc.pre(magnet.infoHashV1 !== null || magnet.infoHashV2 !== null);
        expect(parseMagnet(formatMagnet(magnet))).toEqual(magnet);
      }),
      { numRuns: 300 },
    );
  });

  it('makes the link of a torrent with all its hashes and trackers', () => {
    const sample = sampleTorrent([{ path: ['n'], bytes: noise(20_000, 1) }], {
      kind: 'hybrid',
      name: 'my file',
      trackers: [['http://a/'], ['udp://b:1/']],
    });
    const meta = parseMetainfo(sample.metainfo, testHashes);
    const text = formatMagnet(magnetOf(meta));
    expect(text).toBe(
      `magnet:?xt=urn:btih:${toHex(meta.info.infoHashV1!)}&xt=urn:btmh:1220${toHex(meta.info.infoHashV2!)}` +
        '&dn=my%20file&xl=20000&tr=http%3A%2F%2Fa%2F&tr=udp%3A%2F%2Fb%3A1%2F',
    );
  });
});
