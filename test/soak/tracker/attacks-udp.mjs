// Datagrams that no client sends: noise, cut packets, connection ids that were never given, are another's or have expired, scrapes of too
// many, and floods of connects. Whoever has proved nothing must never get more bytes than it sent: the source may be forged.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { infoHash } from './swarm.mjs';

/** Addresses that never use an id of their own, and some that do. */
const UNPROVEN = 6;
const PROVEN = 2;
/** 100 every 5 ms: 20,000 a second. */
const EVERY_MS = 5;
const BURST = 100;
const MAGIC = Buffer.from('0000041727101980', 'hex');
const [CONNECT, ANNOUNCE, SCRAPE] = [0, 1, 2];
const MOST_BYTES = 1400;
/** An id of then is out of date: ids live two to four minutes. */
const OLD_MS = 250_000;
/** Who may ask does so with an id that is fresh. */
const RENEW_MS = 30_000;
const MOST_IDS = 4096;

export class UdpAttacks {
  everyMs;
  #run;
  #sockets = [];
  #turn = 0;
  /** Ids that were given, to whom and when; the first one is kept until it is out of date. */
  #ids = [];

  constructor(run) {
    this.#run = run;
    this.everyMs = EVERY_MS / run.share;
  }

  async open() {
    for (let i = 0; i < UNPROVEN + PROVEN; i++) {
      const socket = createSocket('udp4').bind(0, `127.66.0.${1 + i}`);
      const place = { socket, isProven: i >= UNPROVEN, own: null, askedAtMs: 0 };
      socket.on('message', (reply) => this.#judge(place, reply));
      socket.on('error', () => undefined);
      await once(socket, 'listening');
      this.#sockets.push(place);
    }
  }

  tick() {
    for (let i = 0; i < BURST; i++) {
      const place = this.#sockets[this.#turn++ % this.#sockets.length];
      this.#send(place, place.isProven ? this.#provenPacket(place) : this.#unprovenPacket(place));
    }
  }

  close() {
    for (const { socket } of this.#sockets) socket.close();
  }

  /** The transaction id says how long the packet was. */
  #send({ socket }, packet) {
    if (packet.length >= 16) packet.writeUInt32BE(packet.length, 12);
    socket.send(packet, this.#run.port, '127.0.0.1');
    this.#run.count('datagrams');
  }

  #judge(place, reply) {
    this.#run.count('datagrams answered');
    if (reply.length >= 16 && reply.readUInt32BE(0) === CONNECT) {
      const id = { id: Buffer.from(reply.subarray(8, 16)), owner: place, atMs: performance.now() };
      this.#ids.push(id);
      if (this.#ids.length > MOST_IDS) this.#ids.splice(1, MOST_IDS / 2);
      if (place.isProven) place.own = id;
    }
    if (place.isProven) return;
    const sent = reply.length >= 8 ? reply.readUInt32BE(4) : 0;
    const most = Math.min(sent, MOST_BYTES + 16);
    if (reply.length > most) this.#run.fault(`${most} bytes of an unproven source were answered with ${reply.length}`);
  }

  #unprovenPacket(place) {
    const { chance, count } = this.#run;
    const kind = chance.below(7);
    if (kind === 0) {
      count('noise over UDP');
      return Buffer.from(chance.bytes(16 + chance.below(MOST_BYTES)));
    }
    if (kind === 1) {
      count('cut datagrams');
      return packetOf(MAGIC, chance.below(4), chance.bytes(80)).subarray(0, chance.below(16));
    }
    if (kind === 2) {
      count('connects that nobody uses');
      return packetOf(MAGIC, CONNECT, Buffer.alloc(0));
    }
    if (kind === 3) return this.#withId('forged connection ids', chance.bytes(8));
    if (kind === 4) {
      const other = this.#ids.length > 0 ? chance.pick(this.#ids) : null;
      if (other !== null && other.owner !== place) return this.#withId("connection ids of others' addresses", other.id);
    }
    const first = this.#ids[0];
    if (first !== undefined && performance.now() - first.atMs > OLD_MS) {
      return this.#withId('expired connection ids', first.id);
    }
    count('scrapes without a connection');
    return packetOf(chance.bytes(8), SCRAPE, chance.bytes(20 * chance.below(70)));
  }

  #withId(what, id) {
    const { chance, count } = this.#run;
    count(what);
    return packetOf(id, chance.below(2) === 0 ? ANNOUNCE : SCRAPE, chance.bytes(chance.below(2) === 0 ? 82 : 20));
  }

  /** Of one who may ask, and asks nonsense. */
  #provenPacket(place) {
    const { chance, count } = this.#run;
    const nowMs = performance.now();
    if (place.own === null || nowMs - place.askedAtMs > RENEW_MS) {
      place.askedAtMs = nowMs;
      return packetOf(MAGIC, CONNECT, Buffer.alloc(0));
    }
    const { id } = place.own;
    const kind = chance.below(4);
    if (kind === 0) {
      count('giant scrapes over UDP');
      return packetOf(id, SCRAPE, chance.bytes(20 * (60 + chance.below(10))));
    }
    if (kind === 1) {
      count('announces of nonsense');
      return packetOf(id, ANNOUNCE, Buffer.concat([infoHash(chance), chance.bytes(62 + chance.below(500))]));
    }
    count(kind === 2 ? 'unknown actions' : 'announces cut short');
    return kind === 2
      ? packetOf(id, 3 + chance.below(1 << 20), chance.bytes(100))
      : packetOf(id, ANNOUNCE, chance.bytes(chance.below(82)));
  }
}

function packetOf(id, action, rest) {
  const head = Buffer.alloc(16);
  id.copy(head, 0, 0, 8);
  head.writeUInt32BE(action, 8);
  return Buffer.concat([head, rest]);
}
