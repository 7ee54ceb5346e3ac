import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1, utf8 } from '../../base/bytes.ts';
import { EVENT_COMPLETED, EVENT_NONE, EVENT_STARTED } from './announce.ts';
import { ReplyWriter } from './http-reply-writer.ts';
import { JsonScan } from './json-scan.ts';
import {
  MAX_DESCRIPTION_LENGTH,
  MAX_OFFERS,
  MAX_WEB_SCRAPE,
  readWebMessage,
  WEB_ANNOUNCE,
  WEB_ANSWER,
  WEB_SCRAPE,
  WebMessage,
} from './web-messages.ts';
import {
  encodeWebRefusal,
  MAX_PASSED_EXTRA,
  MAX_WEB_SCRAPE_ENTRY,
  putJsonBytes,
  writePassedOn,
  writeWebAnnounceReply,
  writeWebScrapeEnd,
  writeWebScrapeEntry,
  writeWebScrapeHead,
} from './web-replies.ts';

const message = new WebMessage();
/** Bytes before and behind, so that what reads past its end shows. */
function read(text: string | Uint8Array): string | null {
  const bytes = typeof text === 'string' ? utf8(text) : text;
  const padded = new Uint8Array(bytes.length + 20).fill(0x7b);
  padded.set(bytes, 10);
  return readWebMessage(padded, 10, 10 + bytes.length, message);
}
const readObject = (value: object): string | null => read(JSON.stringify(value));
/** Of every kind that JSON and UTF-8 tell apart. */
const characters = fc.constantFrom(
  ...'a"\\/\n\u0001\u007f\u0080\u00ff\u07ff\u0800\ud7ff\uffff\ud800\udc00\udbff',
  '\u{10000}',
  '\u{10ffff}',
);
const ids = fc.uint8Array({ minLength: 20, maxLength: 20 });
const id = (byte: number): string => String.fromCharCode(byte).repeat(20);
const announce = { action: 'announce', info_hash: id(0xff), peer_id: id(0), left: 7, numwant: 5 };

describe('announces', () => {
  it('are read as JSON.parse reads them, with ids of any bytes', () => {
    const offers = fc.array(
      fc.record({
        offer: fc.record({ type: fc.constant('offer'), sdp: fc.string({ unit: characters, maxLength: 12 }) }),
        offer_id: ids,
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(ids, ids, offers, fc.integer({ min: 0 }), fc.nat(3), (infoHash, peerId, list, left, spaces) => {
        const object = {
          peer_id: latin1(peerId),
          offers: list.map(({ offer, offer_id }) => ({ offer, extra: [null], offer_id: latin1(offer_id) })),
          left,
          unknown: { a: [1, -2.5e3, 'x\u{1f41f}'] },
          info_hash: latin1(infoHash),
          action: 'announce',
          event: 'started',
        };
        const text = utf8(JSON.stringify(object, null, spaces));
        expect(readWebMessage(text, 0, text.length, message)).toBeNull();
        expect(message.kind).toBe(WEB_ANNOUNCE);
        expect(latin1(message.fields.infoHash) + latin1(message.fields.peerId)).toBe(latin1(infoHash) + latin1(peerId));
        expect([message.fields.left, message.fields.event]).toEqual([left, EVENT_STARTED]);
        expect(message.offerCount).toBe(Math.min(list.length, MAX_OFFERS));
        for (let i = 0; i < message.offerCount; i++) {
          const offer = text.subarray(message.offerStarts[i], message.offerEnds[i]);
          expect(JSON.parse(new TextDecoder().decode(offer))).toEqual(list[i]!.offer);
          expect(latin1(message.offerIds.subarray(20 * i, 20 * i + 20))).toBe(latin1(list[i]!.offer_id));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('have amounts as numbers, as texts, or none that is known', () => {
    for (const [left, expected] of [
      [0, 0],
      ['12', 12],
      [null, Infinity],
      ['x', Infinity],
      [-1, Infinity],
      [1.5e3, 1500],
      [true, Infinity],
    ]) {
      expect(readObject({ ...announce, left, event: 'completed' })).toBeNull();
      expect(message.fields.left).toBe(expected);
      expect(message.fields.event).toBe(EVENT_COMPLETED);
    }
    expect(readObject({ ...announce, event: 'whatever', uploaded: 5, downloaded: '6' })).toBeNull();
    expect(message.fields).toMatchObject({ event: EVENT_NONE, uploaded: 5, downloaded: 6, numWant: 5 });
    expect(readObject({ ...announce, event: null, offers: null, answer: null })).toBeNull();
    expect([message.kind, message.offerCount]).toEqual([WEB_ANNOUNCE, 0]);
  });

  it('with an answer name whom it is for', () => {
    const answer = { type: 'answer', sdp: 'v=0\r\n' };
    expect(readObject({ ...announce, answer, to_peer_id: id(1), offer_id: id(2) })).toBeNull();
    expect(message.kind).toBe(WEB_ANSWER);
    expect(message.toPeerId).toEqual(new Uint8Array(20).fill(1));
    expect(message.offerId).toEqual(new Uint8Array(20).fill(2));
    expect(message.answerEnd - message.answerStart).toBe(JSON.stringify(answer).length);
    expect(readObject({ ...announce, answer, offer_id: id(2) })).toBe('to_peer_id is missing');
    expect(readObject({ ...announce, answer, to_peer_id: id(1) })).toBe('offer_id is missing');
  });

  it.each([
    [{ action: 'announce' }, 'info_hash is missing'],
    [{ ...announce, action: 'dance' }, 'action is neither announce nor scrape'],
    [{ info_hash: id(1), peer_id: id(1) }, 'action is missing'],
    [{ ...announce, info_hash: 'short' }, 'info_hash is not 20 bytes'],
    [{ ...announce, info_hash: '\u0100'.repeat(20) }, 'info_hash is not 20 bytes'],
    [{ ...announce, peer_id: 5 }, 'peer_id is not 20 bytes'],
    [{ action: 'announce', info_hash: id(1) }, 'peer_id is missing'],
    [{ ...announce, offers: [5] }, 'an offer is no object'],
    [{ ...announce, offers: [{ offer: {} }] }, 'an offer is not complete'],
    [{ ...announce, offers: [{ offer: 'v=0', offer_id: id(1) }] }, 'an offer or answer is no object'],
    [
      { ...announce, offers: [{ offer: { sdp: 'x'.repeat(MAX_DESCRIPTION_LENGTH) }, offer_id: id(1) }] },
      'an offer or answer is too long',
    ],
    [[], 'this is no JSON object'],
  ])('that are wrong are told what is wrong: %#', (object, fault) => {
    expect(readObject(object)).toBe(fault);
  });
});

describe('scrapes', () => {
  it('are of one info hash, of many, or of none', () => {
    expect(readObject({ action: 'scrape', info_hash: id(0x80) })).toBeNull();
    expect([message.kind, message.hashCount, message.hashes[19]]).toEqual([WEB_SCRAPE, 1, 0x80]);
    expect(readObject({ action: 'scrape', info_hash: [id(1), id(2), 'x'.repeat(32)] })).toBeNull();
    expect([message.hashCount, message.hashes[20], message.hashes[40]]).toEqual([3, 2, 0x78]);
    expect(readObject({ action: 'scrape' })).toBeNull();
    expect(message.hashCount).toBe(0);
    const many = Array.from({ length: MAX_WEB_SCRAPE + 1 }, () => id(1));
    expect(readObject({ action: 'scrape', info_hash: many })).toBe(`more than ${MAX_WEB_SCRAPE} info hashes`);
  });
});

describe('JSON', () => {
  const accepts = (bytes: Uint8Array): boolean => {
    const scan = new JsonScan();
    scan.begin(bytes, 0, bytes.length);
    return scan.passValue() && scan.peek() === -1;
  };
  const parses = (bytes: Uint8Array): boolean => {
    try {
      JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
      return true;
    } catch {
      return false;
    }
  };

  it('is accepted where JSON.parse accepts it, whatever is changed in it', () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.oneof(fc.constantFrom(...utf8('{}[]",:\\u0e+-.tn\n')), fc.nat(255)),
    });
    const texts = fc.oneof(
      fc.json({ maxDepth: 5, stringUnit: characters }).map(utf8),
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom('-0', '01', '1.', '.5', '1e5', '"\\u00g0"', '"\\x"', '[1,]', '{"a"}', '{"a":1,}', '"\t"')
        .map(utf8),
    );
    fc.assert(
      fc.property(texts, fc.array(change, { maxLength: 2 }), (text, changes) => {
        const bytes = text.slice();
        for (const { at, byte } of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        expect(accepts(bytes)).toBe(parses(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('is not accepted however deep', () => {
    expect(accepts(utf8('['.repeat(16) + ']'.repeat(16)))).toBe(true);
    expect(accepts(utf8('['.repeat(17) + ']'.repeat(17)))).toBe(false);
    expect(read(`{"a":${'['.repeat(100_000)}`)).toBe('this is no JSON object');
  });

  it('that is no UTF-8 is told from other faults', () => {
    expect(read(new Uint8Array([...utf8('{"a":"'), 0xc0, 0x80, ...utf8('"}')]))).toBe('this is no JSON object');
    expect(message.isBadText).toBe(true);
    expect(read('{"a":"}')).toBe('this is no JSON object');
    expect(message.isBadText).toBe(false);
  });
});

describe('replies', () => {
  const counts = { seeds: 1234567, leeches: 7654321, downloaders: 1, completed: 99 };
  const textOf = (out: ReplyWriter): unknown =>
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(out.bytes.subarray(0, out.at)));

  it('are JSON that says the same, within their bounds', () => {
    fc.assert(
      fc.property(ids, ids, ids, (infoHash, peerId, offerId) => {
        const out = new ReplyWriter(MAX_PASSED_EXTRA + 20);
        writeWebAnnounceReply(out, infoHash, counts, 120);
        expect(textOf(out)).toEqual({
          action: 'announce',
          info_hash: latin1(infoHash),
          interval: 120,
          complete: counts.seeds,
          incomplete: counts.leeches,
        });
        out.at = 0;
        const offer = utf8('xx{"sdp":"\\r"}xx');
        writePassedOn(out, false, infoHash, peerId, offerId, 0, offer, 2, offer.length - 2);
        expect(textOf(out)).toEqual({
          action: 'announce',
          info_hash: latin1(infoHash),
          peer_id: latin1(peerId),
          offer_id: latin1(offerId),
          offer: { sdp: '\r' },
        });
      }),
    );
  });

  it('of scrapes have an entry for each info hash', () => {
    const out = new ReplyWriter(3 * MAX_WEB_SCRAPE_ENTRY);
    writeWebScrapeHead(out);
    writeWebScrapeEntry(out, new Uint8Array(20).fill(0x22), counts, true);
    writeWebScrapeEntry(out, new Uint8Array(20).fill(0xe9), counts, false);
    writeWebScrapeEnd(out, 30);
    const entry = { complete: 1234567, incomplete: 7654321, downloaded: 99 };
    expect(textOf(out)).toEqual({
      action: 'scrape',
      files: { [id(0x22)]: entry, [id(0xe9)]: entry },
      flags: { min_request_interval: 30 },
    });
  });

  it('escape every byte as JSON wants it', () => {
    const out = new ReplyWriter(2000);
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    putJsonBytes(out, all, 0, 256);
    expect(textOf(out)).toBe(latin1(all));
  });

  it('that refuse say why, and when to ask again', () => {
    const refusal = JSON.parse(new TextDecoder().decode(encodeWebRefusal('no "x"', 30, id(0xff), false))) as object;
    expect(refusal).toEqual({ action: 'announce', 'failure reason': 'no "x"', info_hash: id(0xff), 'retry in': 30 });
    expect(latin1(encodeWebRefusal('no', null, null, true))).toBe('{"action":"scrape","failure reason":"no"}');
  });
});
