// Connections that no client makes: silent, slow, huge, broken off, never read, thousands at a time, keys that nobody has, and upgrades
// that are none. A tracker may refuse or close whatever it likes, but says neither 5xx nor where its code is.
import { connect } from 'node:net';
import { escaped, infoHash } from './swarm.mjs';

/** 4 every 10 ms: 400 a second. */
const EVERY_MS = 10;
const BURST = 4;
/** Held at once; more than the tracker has places for. */
const MOST_HELD = 1500;
/** Each is given up after so long at the latest. */
const HOLD_MS = { least: 500, most: 15_000 };
const DRIP_MS = 250;
/** The head of a reply tells what it is. */
const LOOKED_AT_BYTES = 4096;

export class TcpAttacks {
  everyMs;
  #run;
  #held = new Set();
  #drips = new Set();
  #drippedAtMs = 0;

  constructor(run) {
    this.#run = run;
    this.everyMs = EVERY_MS / run.share;
  }

  async open() {}

  tick() {
    for (let i = 0; i < BURST && this.#held.size < MOST_HELD; i++) this.#attack();
    if (performance.now() - this.#drippedAtMs < DRIP_MS) return;
    this.#drippedAtMs = performance.now();
    for (const socket of this.#drips) if (socket.writable) socket.write('a');
  }

  close() {
    for (const socket of this.#held) socket.destroy();
  }

  #attack() {
    const { chance, count } = this.#run;
    const { what, text = '', ends, isPrivate = false } = chance.pick(ATTACKS)(chance);
    count(what);
    const socket = this.#connect(isPrivate ? this.#run.privatePort : this.#run.port);
    if (ends !== 'mute') this.#look(socket, what);
    if (text.length > 0) socket.write(text);
    if (ends === 'drip') this.#drips.add(socket);
    else if (ends === 'end') socket.end();
    else if (ends === 'reset') socket.on('connect', () => setImmediate(() => socket.resetAndDestroy()));
    else if (ends === 'noise') socket.once('data', () => socket.write(Buffer.from(chance.bytes(chance.below(4000)))));
  }

  #connect(port) {
    const { chance } = this.#run;
    const localAddress = `127.67.${chance.below(4)}.${1 + chance.below(200)}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: chance.below(2) === 0 });
    const timer = setTimeout(() => socket.destroy(), HOLD_MS.least + chance.below(HOLD_MS.most));
    this.#held.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#held.delete(socket);
      this.#drips.delete(socket);
    });
    return socket;
  }

  #look(socket, what) {
    let said = '';
    socket.on('data', (chunk) => {
      if (said.length > LOOKED_AT_BYTES) return;
      said += chunk.toString('latin1', 0, LOOKED_AT_BYTES);
      const fault = /HTTP\/1\.1 5\d\d[^\r]*|\n\s+at .*:\d+:\d+/.exec(said);
      // That its private side has to wait is a fair answer.
      if (fault !== null && !fault[0].includes(' 503')) this.#run.fault(`${what}: the reply has "${fault[0].trim()}"`);
    });
  }
}

const END = ' HTTP/1.1\r\nHost: t\r\n\r\n';
const UPGRADE = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const UPGRADED = `GET / HTTP/1.1\r\nHost: t\r\n${UPGRADE}${KEY}Sec-WebSocket-Version: 13\r\n\r\n`;

/** What is sent, and how it ends: `mute` never reads; nothing: it is held open. */
const ATTACKS = [
  () => ({ what: 'silent connections' }),
  () => ({ what: 'slow heads', text: 'GET /announce?info_hash=', ends: 'drip' }),
  () => ({ what: 'slow fields', text: 'GET /announce HTTP/1.1\r\nX: ', ends: 'drip' }),
  (chance) => ({ what: 'huge queries', text: `GET /announce?${'a=b&'.repeat(1 + chance.below(25_000))}${END}` }),
  (chance) => ({ what: 'huge heads', text: `GET / HTTP/1.1\r\n${'X-A: b\r\n'.repeat(1 + chance.below(20_000))}\r\n` }),
  (chance) => ({ what: 'heads without end', text: Buffer.alloc(1 + chance.below(1 << 17), 'x') }),
  (chance) => ({ what: 'giant scrapes', text: scrape(chance, 120).repeat(1 + chance.below(20)), ends: 'mute' }),
  (chance) => ({ what: 'scrapes by the thousand', text: scrape(chance, 1).repeat(1000), ends: 'mute' }),
  (chance) => ({ what: 'noise over TCP', text: Buffer.from(chance.bytes(1 + chance.below(20_000))) }),
  (chance) => ({ what: 'requests broken off', text: announce(chance, '').slice(0, chance.below(100)), ends: 'reset' }),
  (chance) => ({ what: 'requests and no reading', text: announce(chance, '').repeat(400), ends: 'mute' }),
  (chance) => ({ what: 'half-closed connections', text: announce(chance, ''), ends: 'end' }),
  (chance) => ({ what: 'one request, then silence', text: announce(chance, '') }),
  (chance) => ({ what: 'connections at once over', ends: chance.below(2) === 0 ? 'reset' : 'end' }),
  () => ({ what: 'bodies', text: 'GET /announce HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nabc' }),
  () => ({ what: 'chunked bodies', text: 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n' }),
  (chance) => ({
    what: 'broken upgrades',
    text: `GET / HTTP/1.1\r\n${UPGRADE}${chance.pick(['', KEY, `${KEY}Sec-WebSocket-Version: 99\r\n`])}\r\n`,
  }),
  () => ({
    what: 'noise over WebSocket',
    text: UPGRADED,
    ends: 'noise',
  }),
  (chance) => ({ what: 'messages without end over WebSocket', text: begun(1 + chance.below(120_000)) }),
  (chance) => ({ what: 'scrapes over WebSocket and no reading', text: webScrapes(chance, 100), ends: 'mute' }),
  (chance) => ({
    what: 'wrong passkeys',
    text: announce(chance, `/${chance.bytes(16).toString('hex')}`),
    isPrivate: true,
  }),
  (chance) => ({
    what: 'noise for the private side',
    text: `GET /${chance.bytes(20).toString('base64')}${END}`,
    isPrivate: true,
  }),
];

/** So many bytes of a message of 127 KiB. */
function begun(bytes) {
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 1, 0xfc, 0, 0, 0, 0, 0]);
  return Buffer.concat([Buffer.from(UPGRADED, 'latin1'), head, Buffer.alloc(bytes, 'x')]);
}

/** Each is answered with some 9 KB. */
function webScrapes(chance, count) {
  const info_hash = Array.from({ length: 128 }, () => chance.bytes(10).toString('hex'));
  const text = Buffer.from(JSON.stringify({ action: 'scrape', info_hash }));
  const frame = Buffer.concat([Buffer.from([0x81, 0xfe, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text]);
  return Buffer.concat([Buffer.from(UPGRADED, 'latin1'), ...new Array(count).fill(frame)]);
}

function scrape(chance, count) {
  const hashes = Array.from({ length: count }, () => `info_hash=${escaped(infoHash(chance))}`);
  return `GET /scrape?${hashes.join('&')}${END}`;
}

function announce(chance, before) {
  const numbers = `port=${1 + chance.below(8)}&uploaded=0&downloaded=0&left=${chance.below(2)}&numwant=${chance.below(1000)}`;
  return `GET ${before}/announce?info_hash=${escaped(infoHash(chance))}&peer_id=${escaped(chance.bytes(20))}&${numbers}${END}`;
}
