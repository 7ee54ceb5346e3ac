// The hostile side of the soak of a tracker, a process of its own. Its argument is JSON: port, privatePort, seed, and which share of the load. Until SIGTERM it says
// two kinds of JSON lines: `counts` of what was done, every second, and `fault` for what a tracker must not do.

import { TcpAttacks } from './attacks-tcp.mjs';
import { UdpAttacks } from './attacks-udp.mjs';
import { chanceOf } from './chance.mjs';

const job = JSON.parse(process.argv[2]);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const run = {
  ...job,
  chance: chanceOf(job.seed),
  counts: {},
  count(name, by = 1) {
    run.counts[name] = (run.counts[name] ?? 0) + by;
  },
  fault: (what) => say({ event: 'fault', what }),
};

const parts = [new UdpAttacks(run), new TcpAttacks(run)];
for (const part of parts) await part.open();
const timers = [...parts.map((part) => setInterval(() => part.tick(), part.everyMs)), setInterval(tell, 1000)];
say({ event: 'ready' });

process.once('SIGTERM', () => {
  for (const timer of timers) clearInterval(timer);
  for (const part of parts) part.close();
  tell();
});

function tell() {
  say({ event: 'counts', counts: run.counts });
}
