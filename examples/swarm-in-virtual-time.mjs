// The real engine in the simulated world: one seed, ten leeches, a minute of virtual time in a few seconds.
//   node examples/swarm-in-virtual-time.mjs [SEED]
import { createNodeEnv, createTorrent, Session } from 'shoal';
import { parseMetainfo } from 'shoal/metainfo';
import { SimWorld } from 'shoal/sim';

const LEECHES = 10;
const LENGTH = 8 << 20;
const UP = 1_000_000;

const { hashes } = createNodeEnv({ stateFolder: '.' });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const world = new SimWorld({ seed: Number(process.argv[2] ?? 1), hashes, turn });

const line = { upBytesPerSecond: UP, downBytesPerSecond: 10 * UP };
const source = world.addHost({ name: 'seed', ...line });
source.hands.write(
  '/content',
  new Uint8Array(LENGTH).map((_, i) => (i * 7) ^ (i >> 9)),
);
const options = { path: '/content', meta: 'v1', trackers: [], webSeeds: [], private: false, symlinks: 'follow' };
const { bytes } = await world.run(createTorrent(source.env, options));
const metainfo = parseMetainfo(bytes, hashes);

const join = async (host, request) => {
  const session = await Session.open(host.env, { listen: { ip: host.ip, port: 6881 } });
  return { session, torrent: await session.add({ metainfo, recheck: 'as-needed', ...request }) };
};
const members = [await world.run(join(source, { mode: 'seed', contentPath: '/content' }))];
for (let i = 0; i < LEECHES; i++) {
  const host = world.addHost({ name: `leech ${i + 1}`, ...line });
  const peers = members.flatMap(({ session }) => session.listening);
  members.push(await world.run(join(host, { mode: 'get', saveFolder: '/', peers })));
}
const began = world.nowMs;
await world.run(Promise.all(members.map(({ torrent }) => torrent.completed())));
const seconds = (world.nowMs - began) / 1000;

// Kumar and Ross 2006: nobody can be faster than the seed alone, nor than all uploads together.
const least = Math.max(LENGTH / UP, (LEECHES * LENGTH) / (UP + LEECHES * UP));
console.log(
  `${LEECHES} leeches complete after ${seconds.toFixed(1)} s of virtual time; the least possible is ${least.toFixed(1)} s`,
);
console.log(`the seed sent ${(members[0].torrent.snapshot().uploadedBytes / LENGTH).toFixed(2)} times the content`);
console.log(`trace ${world.traceHash()}: the same seed gives the same trace`);
await world.run(Promise.all(members.map(({ session }) => session.close({ deadlineMs: 1000 }))));
