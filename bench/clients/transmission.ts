// transmission-cli, one process a torrent. It checks a seed's content first, and chooses whom to ask and to serve every 10 s.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from './client.ts';
import { missingPrograms } from './here.ts';

export const transmission: Client = {
  name: 'transmission',
  mostMib: { seed: 64, leech: 256 },
  missing: () => missingPrograms('transmission-cli'),
  command(job) {
    const limit = Math.floor(job.uploadBytesPerSecond / 1000);
    const settings = {
      'bind-address-ipv4': job.ip,
      'peer-port': job.port,
      'peer-port-random-on-start': false,
      'dht-enabled': false,
      'lpd-enabled': false,
      'pex-enabled': false,
      'utp-enabled': false,
      'port-forwarding-enabled': false,
      encryption: 0,
      'peer-limit-global': 1000,
      'peer-limit-per-torrent': 500,
      'upload-slots-per-torrent': 100,
      'cache-size-mb': 64,
      preallocation: 1,
      'ratio-limit-enabled': false,
      'speed-limit-down-enabled': false,
      'speed-limit-up-enabled': limit > 0,
      'speed-limit-up': limit,
      'rpc-enabled': false,
      'download-queue-enabled': false,
    };
    writeFileSync(join(job.home, 'settings.json'), JSON.stringify(settings));
    const speed = limit > 0 ? ['-u', String(limit)] : ['-U'];
    const place = ['-g', job.home, '-w', job.folder, '-p', String(job.port)];
    return { argv: ['transmission-cli', ...place, '-M', '-et', '-D', ...speed, '-f', job.doneScript, job.torrent] };
  },
};
