import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Address } from '../../base/address.ts';
import { concatBytes, fromLatin1, toHex, utf8 } from '../../base/bytes.ts';
import { isShoalError } from '../../base/errors.ts';
import { decode } from '../../bencode/decode.ts';
import { encode } from '../../bencode/encode.ts';
import type { AnnounceReply } from './announce.ts';
import { decodeAnnounceReply, decodeScrapeReply, findRefusal } from './http-reply.ts';
import {
  encodeRefusal,
  ReplyWriter,
  writeAnnounceReply,
  writeScrapeEnd,
  writeScrapeEntry,
  writeScrapeHead,
} from './http-reply-writer.ts';

const address = (ipLength: 4 | 16): fc.Arbitrary<Address> =>
  fc
    .record({
      ip: fc.uint8Array({ minLength: ipLength, maxLength: ipLength }),
      port: fc.integer({ min: 1, max: 65535 }),
    })
    .map(({ ip, port }) => new Address(ip, port))
    .filter((each) => each.ip.length === ipLength);

const counts = fc.record({ seeds: fc.nat(), leeches: fc.nat(), downloaders: fc.nat(), completed: fc.nat() });

function replyOf(body: Uint8Array): AnnounceReply {
  const outcome = decodeAnnounceReply(body);
  if (!('reply' in outcome)) throw new Error(outcome.refusal.reason);
  return outcome.reply;
}

describe('an announce reply', () => {
  it('is read as the server wrote it, compact or not, and is canonical bencoding', () => {
    fc.assert(
      fc.property(
        counts,
        fc.array(address(4), { maxLength: 20 }),
        fc.array(address(16), { maxLength: 20 }),
        fc.boolean(),
        (swarm, peers4, peers6, compact) => {
          const out = new ReplyWriter(8192);
          const four = concatBytes(peers4.map((peer) => peer.toCompact()));
          const six = concatBytes(peers6.map((peer) => peer.toCompact()));
          const ip = Uint8Array.of(1, 2, 3, 4);
          const id = utf8('0f1e');
          writeAnnounceReply(out, swarm, 1800, 60, ip, compact, four, four.length, six, six.length, id);
          const body = out.bytes.slice(0, out.at);
          decode(body, { strict: true });
          const reply = replyOf(body);
          expect(reply).toMatchObject({
            intervalS: 1800,
            minIntervalS: 60,
            seeds: swarm.seeds,
            leeches: swarm.leeches,
          });
          expect(reply.trackerId).toBe('0f1e');
          expect(reply.externalIp).toEqual(ip);
          expect(reply.peers.map(String)).toEqual([...peers4, ...peers6].map(String));
        },
      ),
    );
  });

  it('takes what trackers in the wild send', () => {
    const reply = replyOf(
      encode({
        interval: 900,
        'min interval': 300,
        'tracker id': Uint8Array.of(0xff, 0x41),
        'warning message': 'soon\u001b[31m gone\n',
        complete: 3,
        peers: [
          { ip: '10.0.0.1', port: 6881, 'peer id': 'x' },
          { ip: '::1', port: 6882 },
          { ip: 'peer.example', port: 1 },
          { ip: '10.0.0.2', port: 0 },
          { ip: '10.0.0.2', port: 65536 },
          7,
        ],
      }),
    );
    expect(reply.peers.map(String)).toEqual(['10.0.0.1:6881', '[::1]:6882']);
    expect(reply.trackerId).toBe('\xffA');
    expect(reply.warning).toBe('soon [31m gone');
    expect(reply).toMatchObject({ intervalS: 900, minIntervalS: 300, seeds: 3, leeches: null, externalIp: null });
  });

  it('has an interval of half an hour where it names none that can be', () => {
    for (const interval of [0, -5, 'x']) expect(replyOf(encode({ interval })).intervalS).toBe(1800);
    expect(replyOf(fromLatin1('de')).peers).toEqual([]);
  });

  it('ignores a rest that is no whole peer, and peers without a port', () => {
    const reply = replyOf(encode({ peers: Uint8Array.of(1, 2, 3, 4, 0, 5, 9, 9, 9, 9, 0, 0, 7) }));
    expect(reply.peers.map(String)).toEqual(['1.2.3.4:5']);
  });

  it('takes no more peers than anyone needs', () => {
    expect(replyOf(encode({ peers: new Uint8Array(60_000).fill(1) })).peers).toHaveLength(2000);
  });

  it('that is a refusal says when to come back (BEP 31)', () => {
    const refusal = (body: Uint8Array): unknown => Object.values(decodeAnnounceReply(body))[0];
    expect(refusal(encodeRefusal('no', null))).toEqual({ reason: 'no', retryInS: null });
    expect(refusal(encodeRefusal('no', 5))).toEqual({ reason: 'no', retryInS: 300 });
    expect(refusal(encodeRefusal('no', 'never'))).toEqual({ reason: 'no', retryInS: Number.POSITIVE_INFINITY });
    expect(refusal(encode({ 'failure reason': '', 'retry in': 2 }))).toEqual({
      reason: 'no reason given',
      retryInS: 120,
    });
    expect(findRefusal(utf8('<html>'))).toBeNull();
  });

  it('that is garbage is TRACKER_INVALID, whatever the bytes', () => {
    for (const body of [utf8('<html>'), utf8('le'), utf8('d8:interval'), new Uint8Array(0)]) {
      expect(() => decodeAnnounceReply(body)).toThrowError(expect.objectContaining({ code: 'TRACKER_INVALID' }));
    }
    const start = fc.constantFrom('d8:interval', 'd5:peers', 'd5:filesd', '');
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 100 }), (text, rest) => {
        for (const read of [decodeAnnounceReply, decodeScrapeReply]) {
          try {
            read(concatBytes([fromLatin1(text), rest]));
          } catch (error) {
            expect(isShoalError(error, 'TRACKER_INVALID')).toBe(true);
          }
        }
      }),
    );
  });
});

describe('a scrape reply', () => {
  it('is read as the server wrote it', () => {
    const hash = fc.uint8Array({ minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(hash, counts), { selector: ([key]) => toHex(key), maxLength: 5 }),
        (files) => {
          files.sort(([a], [b]) => (toHex(a) < toHex(b) ? -1 : 1));
          const out = new ReplyWriter(4096);
          writeScrapeHead(out);
          for (const [key, swarm] of files) writeScrapeEntry(out, key, swarm);
          writeScrapeEnd(out, 30);
          const body = out.bytes.slice(0, out.at);
          decode(body, { strict: true });
          const outcome = decodeScrapeReply(body);
          if (!('entries' in outcome)) throw new Error('refused');
          expect(outcome.minIntervalS).toBe(30);
          expect([...outcome.entries]).toEqual(
            files.map(([key, { seeds, leeches, completed }]) => [toHex(key), { seeds, leeches, completed }]),
          );
        },
      ),
    );
  });
});
