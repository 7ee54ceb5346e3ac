// rtorrent, without its screen.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';
import { missingPrograms } from './here.ts';

export const rtorrent: Client = {
  name: 'rtorrent',
  // With 2 GiB it stood still for ever.
  mostMib: { seed: 1024, leech: 1024 },
  missing: () => missingPrograms('rtorrent'),
  command(job) {
    const limit = Math.floor(job.uploadBytesPerSecond / 1024);
    const lines = [
      'system.daemon.set = true',
      `directory.default.set = ${job.folder}`,
      `network.bind_address.set = ${job.ip}`,
      `network.port_range.set = ${job.port}-${job.port}`,
      'network.port_random.set = no',
      'dht.mode.set = disable',
      'protocol.pex.set = no',
      'trackers.use_udp.set = no',
      'protocol.encryption.set = none',
      'pieces.hash.on_completion.set = no',
      'pieces.memory.max.set = 8192M',
      'throttle.max_uploads.set = 100',
      'throttle.max_peers.normal.set = 500',
      'throttle.max_peers.seed.set = 500',
      ...(limit > 0 ? [`throttle.global_up.max_rate.set_kb = ${limit}`] : []),
      `method.set_key = event.download.finished, bench, "execute.nothrow=${job.doneScript}"`,
      `load.start = ${job.torrent}`,
    ];
    const file = join(job.home, 'rtorrent.rc');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return { argv: ['rtorrent', '-n', '-o', `import=${file}`], env: { TERM: 'dumb' } };
  },
};
