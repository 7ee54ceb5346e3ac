// Shoal, as its users run it.

import { join } from 'node:path';
import { SHOAL } from '../run/home.ts';
import { ANY_SIZE, type Client } from './client.ts';

export const shoal: Client = {
  name: 'shoal',
  mostMib: ANY_SIZE,
  v2: true,
  missing: () => null,
  command(job, role) {
    const limit = job.uploadBytesPerSecond > 0 ? ['--max-upload', String(job.uploadBytesPerSecond)] : [];
    const down = job.downloadBytesPerSecond > 0 ? ['--max-download', String(job.downloadBytesPerSecond)] : [];
    const common = ['--listen', `${job.ip}:${job.port}`, '--state', join(job.home, 'state'), ...limit, ...down];
    const words =
      role === 'seed'
        ? ['seed', job.torrent, job.contentPath]
        : ['get', job.torrent, '-o', job.folder, '--keep-seeding', '--on-complete', job.doneScript];
    return { argv: [process.execPath, SHOAL, ...words, ...common] };
  },
};
