import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Address } from '../../base/address.ts';
import { concatBytes, fromUtf8, readU32, toHex, utf8 } from '../../base/bytes.ts';
import { AnnounceFields, type AnnounceRequest, EVENT_NAMES } from './announce.ts';
import * as udp from './udp-packets.ts';
import { copyUrlData } from './url-data.ts';

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const u32 = fc.nat(0xffffffff);
const room = new Uint8Array(4096);
const request: fc.Arbitrary<AnnounceRequest> = fc.record({
  infoHash: bytes(20),
  peerId: bytes(20),
  port: fc.integer({ min: 1, max: 65535 }),
  uploaded: fc.maxSafeNat(),
  downloaded: fc.maxSafeNat(),
  left: fc.maxSafeNat(),
  event: fc.constantFrom('none', 'completed', 'started', 'stopped'),
  numWant: fc.option(fc.nat(500)),
  key: u32,
  trackerId: fc.constant(null),
});

describe('requests over UDP', () => {
  it('begin with the number of the protocol when they connect (BEP 15)', () => {
    const packet = udp.encodeConnectRequest(0x01020304);
    expect(toHex(packet)).toBe('00000417271019800000000001020304');
    expect(udp.requestAction(packet)).toBe(udp.ACTION_CONNECT);
    expect(udp.requestAction(packet.with(0, 1))).toBe(-1);
  });

  it('announce what the server reads', () => {
    fc.assert(
      fc.property(request, bytes(8), u32, (each, id, transactionId) => {
        const packet = udp.encodeAnnounceRequest(id, transactionId, each, '');
        expect(packet).toHaveLength(98);
        expect(udp.requestAction(packet)).toBe(udp.ACTION_ANNOUNCE);
        expect(udp.requestTransactionId(packet)).toBe(transactionId);
        const fields = new AnnounceFields();
        expect(udp.readAnnounceRequest(packet, fields)).toBeNull();
        expect(EVENT_NAMES[fields.event]).toBe(each.event);
        expect({ ...fields, event: 0 }).toEqual({
          event: 0,
          compact: true,
          noPeerId: false,
          ip: new Uint8Array(16),
          ipLength: 0,
          infoHash: each.infoHash,
          peerId: each.peerId,
          port: each.port,
          uploaded: each.uploaded,
          downloaded: each.downloaded,
          left: each.left,
          key: each.key,
          numWant: each.numWant ?? -1,
        });
        expect(copyUrlData(packet, 98, room)).toBe(0);
      }),
    );
  });

  it('carry the path and query of the URL in options of at most 255 bytes (BEP 41)', () => {
    fc.assert(
      fc.property(request, fc.webPath({ size: 'medium' }), (each, path) => {
        fc.pre(path.length > 0);
        const packet = udp.encodeAnnounceRequest(new Uint8Array(8), 1, each, `${path}?k=1`);
        const length = copyUrlData(packet, 98, room);
        expect(fromUtf8(room.subarray(0, length))).toBe(`${path}?k=1`);
      }),
    );
    const [sample] = fc.sample(request, 1);
    const long = udp.encodeAnnounceRequest(new Uint8Array(8), 1, sample!, 'x'.repeat(700));
    expect(copyUrlData(long, 98, room)).toBe(700);
    expect(copyUrlData(long, 98, new Uint8Array(300))).toBe(300);
    expect(long).toHaveLength(98 + 700 + 2 * 3);
    expect(copyUrlData(concatBytes([long.subarray(0, 98), Uint8Array.of(1, 1, 2, 1, 65, 0, 2, 1, 66)]), 98, room)).toBe(
      1,
    );
    expect(room[0]).toBe(65);
    expect(copyUrlData(concatBytes([long.subarray(0, 98), Uint8Array.of(2, 9, 65)]), 98, room)).toBe(0);
  });

  it('are refused when they are short or have no port', () => {
    const packet = new Uint8Array(98);
    expect(udp.readAnnounceRequest(packet.subarray(0, 97), new AnnounceFields())).toMatch('98');
    expect(udp.readAnnounceRequest(packet, new AnnounceFields())).toBe('port is 0');
    expect(udp.requestAction(packet.subarray(0, 15))).toBe(-1);
  });

  it('never throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (packet) => {
        udp.requestAction(packet);
        udp.readAnnounceRequest(packet, new AnnounceFields());
        copyUrlData(packet, 98, room);
        udp.decodeReply(packet, 4);
        udp.decodeReply(packet, 6);
      }),
    );
  });
});

describe('replies over UDP', () => {
  const out = new Uint8Array(4096);

  it('hand out a connection id', () => {
    const length = udp.writeConnectReply(out, 7, 0xdeadbeef, 0xcafe0001);
    const reply = udp.decodeReply(out.slice(0, length), 4);
    expect(udp.replyTransactionId(out)).toBe(7);
    expect(reply).toEqual({ action: 'connect', connectionId: Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0, 1) });
  });

  it('hand out peers in the form of the family that they come over', () => {
    for (const texts of [['1.2.3.4:5', '6.7.8.9:10'], ['[2001:db8::1]:5']]) {
      const peers = texts.map((text) => Address.parse(text)!);
      const compact = concatBytes(peers.map((peer) => peer.toCompact()));
      out.set(compact, udp.ANNOUNCE_REPLY_HEAD_LENGTH);
      const length = udp.writeAnnounceReply(out, 9, 1800, 3, 4, compact.length);
      const reply = udp.decodeReply(out.slice(0, length), peers[0]!.family);
      if (reply?.action !== 'announce') throw new Error('another action');
      expect(reply.reply).toMatchObject({ intervalS: 1800, leeches: 3, seeds: 4 });
      expect(reply.reply.peers.map(String)).toEqual(texts);
    }
  });

  it('count swarms and say errors', () => {
    udp.writeScrapeEntry(out, 0, 1, 2, 3);
    udp.writeScrapeEntry(out, 1, 4, 5, 6);
    const length = udp.writeScrapeReply(out, 1, 2);
    expect(udp.decodeReply(out.slice(0, length), 4)).toEqual({
      action: 'scrape',
      entries: [
        { seeds: 1, completed: 2, leeches: 3 },
        { seeds: 4, completed: 5, leeches: 6 },
      ],
    });
    const error = udp.writeErrorReply(out, 2, utf8('go\naway'));
    expect(readU32(out, 4)).toBe(2);
    expect(udp.decodeReply(out.slice(0, error), 4)).toEqual({ action: 'error', message: 'go away' });
  });

  it('of the server and scrapes of the client agree on the order of info hashes', () => {
    const hashes = fc.sample(bytes(20), 3);
    const packet = udp.encodeScrapeRequest(new Uint8Array(8), 5, hashes);
    expect(udp.scrapeHashCount(packet)).toBe(3);
    expect(packet.subarray(36, 56)).toEqual(hashes[1]);
    expect(udp.scrapeHashCount(new Uint8Array(65_000))).toBe(udp.MAX_SCRAPE_HASHES);
  });
});
