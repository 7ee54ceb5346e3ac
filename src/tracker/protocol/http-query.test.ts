import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromLatin1, latin1, utf8 } from '../../base/bytes.ts';
import { AnnounceFields, type AnnounceRequest, EVENT_NAMES } from './announce.ts';
import { announceQuery, announceUrl, readAnnounceQuery, readScrapeQuery, scrapeUrl, withQuery } from './http-query.ts';
import { percentDecode, percentEncode } from './percent.ts';

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
const request: fc.Arbitrary<AnnounceRequest> = fc.record({
  infoHash: hash,
  peerId: hash,
  port: fc.integer({ min: 1, max: 65535 }),
  uploaded: fc.maxSafeNat(),
  downloaded: fc.maxSafeNat(),
  left: fc.maxSafeNat(),
  event: fc.constantFrom(...EVENT_NAMES),
  numWant: fc.option(fc.nat(500)),
  key: fc.nat(0xffffffff),
  trackerId: fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes))),
});

const sample: AnnounceRequest = {
  infoHash: Uint8Array.from({ length: 20 }, (_, i) => i),
  peerId: fromLatin1('-SH0100-abcdefghijkl'),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 7,
  event: 'started',
  numWant: null,
  key: 0xbeef,
  trackerId: null,
};

function read(query: string | Uint8Array): { fault: string | null; fields: AnnounceFields } {
  const bytes = typeof query === 'string' ? fromLatin1(query) : query;
  const fields = new AnnounceFields();
  return { fault: readAnnounceQuery(bytes, 0, bytes.length, fields), fields };
}

const valid = announceQuery(sample);
const required = valid.split('&').slice(0, 3).join('&');

describe('percent-encoding', () => {
  it('gives every byte string back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = percentEncode(bytes);
        expect(text).toMatch(/^[\w.~%-]*$/);
        expect(percentDecode(fromLatin1(text))).toEqual(bytes);
      }),
    );
  });

  it('takes either case and bytes that were left as they are, a plus among them', () => {
    expect(percentDecode(fromLatin1('%aB+%2b\xff'))).toEqual(Uint8Array.of(0xab, 0x2b, 0x2b, 0xff));
  });

  it('refuses a percent sign without two digits', () => {
    for (const text of ['%', '%1', 'ab%', '%g1', '%1g', '%%41']) expect(percentDecode(fromLatin1(text))).toBeNull();
  });
});

describe('the query of an announce', () => {
  it('is read as it was built', () => {
    fc.assert(
      fc.property(request, (each) => {
        const { fault, fields } = read(announceQuery(each));
        expect(fault).toBeNull();
        expect(fields.infoHash).toEqual(each.infoHash);
        expect(fields.peerId).toEqual(each.peerId);
        expect(EVENT_NAMES[fields.event]).toBe(each.event);
        expect({ ...fields, infoHash: 0, peerId: 0, event: 0, key: 0, ip: 0 }).toEqual({
          infoHash: 0,
          peerId: 0,
          event: 0,
          key: 0,
          ip: 0,
          ipLength: 0,
          noPeerId: true,
          compact: true,
          port: each.port,
          uploaded: each.uploaded,
          downloaded: each.downloaded,
          left: each.left,
          numWant: each.numWant ?? -1,
        });
      }),
    );
  });

  it('may have a whole v2 info hash, of which the first 20 bytes count, and an address', () => {
    const rest = '&peer_id=-SH0100-abcdefghijkl&port=1';
    const { fault, fields } = read(`info_hash=${'abcd'.repeat(8)}&ip=2001:db8::7${rest}`);
    expect([fault, latin1(fields.infoHash), fields.ipLength]).toEqual([null, 'abcd'.repeat(5), 16]);
    expect(read(`info_hash=${'abcd'.repeat(5)}&ip=192.0.2.7${rest}`).fields.ip.subarray(0, 4)).toEqual(
      Uint8Array.of(192, 0, 2, 7),
    );
    expect(read(`info_hash=${'abcd'.repeat(5)}&ip=localhost${rest}`)).toMatchObject({
      fault: null,
      fields: { ipLength: 0 },
    });
    expect(read(`info_hash=${'abcd'.repeat(6)}${rest}`).fault).toBe('info_hash is not 20 bytes');
  });

  it('never throws on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes)));
    const alphabet = fc.constantFrom('info_hash', 'port', '=', '&', '%', '%4', '%41', '1', 'x', '-1', 'left', 'event');
    fc.assert(fc.property(fc.array(alphabet, { maxLength: 40 }), (parts) => void read(parts.join(''))));
  });

  it('says what is missing or malformed', () => {
    expect(read('').fault).toBe('info_hash is missing');
    expect(read(`${required}0`).fault).toBe('port is not a number from 1 to 65535');
    expect(read(required.replace(/port=\d+/, 'port=0')).fault).toBe('port is not a number from 1 to 65535');
    expect(read(required.replace(/&port=\d+/, '')).fault).toBe('port is missing');
    expect(read(required.replace('peer_id=', 'peer=')).fault).toBe('peer_id is missing');
    expect(read(required.replace('info_hash=', 'info_hash=a')).fault).toBe('info_hash is not 20 bytes');
    expect(read(`${required}&port=1`).fault).toBe('port given more than once');
    expect(read(`${required}&${required}`).fault).toBe('info_hash given more than once');
  });

  it('passes over parameters that it does not know and values that make no sense', () => {
    const { fault, fields } = read(`&&=&${required}&left=many&numwant=-1&event=dance&nokey&supportcrypto=1&left`);
    expect(fault).toBeNull();
    expect(fields.left).toBe(Number.POSITIVE_INFINITY);
    expect(fields.numWant).toBe(-1);
    expect(fields.event).toBe(0);
  });

  it('understands names that are percent-encoded', () => {
    expect(read(required.replace('info_hash', 'info%5Fhash')).fault).toBeNull();
  });
});

describe('URLs', () => {
  it('keep the query that a tracker URL has', () => {
    expect(withQuery('http://t/announce', 'a=1')).toBe('http://t/announce?a=1');
    expect(withQuery('http://t/announce?passkey=x', 'a=1')).toBe('http://t/announce?passkey=x&a=1');
    expect(withQuery('http://t/announce?#top', 'a=1')).toBe('http://t/announce?a=1');
    expect(announceUrl('http://t/announce?passkey=x', sample)).toMatch(
      /^http:\/\/t\/announce\?passkey=x&info_hash=%00%01/,
    );
  });

  it('have a scrape where their path says announce', () => {
    const one = [utf8('aaaaaaaaaaaaaaaaaaaa')];
    expect(scrapeUrl('http://t/announce', one)).toBe('http://t/scrape?info_hash=aaaaaaaaaaaaaaaaaaaa');
    expect(scrapeUrl('http://t/x/announce.php?k=1', one)).toBe(
      'http://t/x/scrape.php?k=1&info_hash=aaaaaaaaaaaaaaaaaaaa',
    );
    expect(scrapeUrl('http://announce.example/a', one)).toBeNull();
    expect(scrapeUrl('http://announce.example', one)).toBeNull();
    expect(scrapeUrl('http://t/a?x=announce', one)).toBeNull();
  });

  it('name several info hashes, which are read in their order as far as there is room', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 6 }), (hashes) => {
        const query = fromLatin1(scrapeUrl('http://t/announce', hashes)!.split('?')[1]!);
        const into = new Uint8Array(4 * 20);
        const count = readScrapeQuery(query, 0, query.length, into);
        expect(count).toBe(Math.min(4, hashes.length));
        for (let i = 0; i < count; i++) expect(into.subarray(20 * i, 20 * i + 20)).toEqual(hashes[i]);
      }),
    );
    expect(readScrapeQuery(fromLatin1('info_hash=short'), 0, 15, new Uint8Array(20))).toBe(-1);
  });
});
