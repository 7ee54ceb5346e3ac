// aria2c.

import { ANY_SIZE, type Client } from './client.ts';
import { missingPrograms } from './here.ts';

export const aria2: Client = {
  name: 'aria2',
  mostMib: ANY_SIZE,
  missing: () => missingPrograms('aria2c'),
  command: (job, role) => ({
    argv: [
      'aria2c',
      '--no-conf',
      `--dir=${job.folder}`,
      `--interface=${job.ip}`,
      `--listen-port=${job.port}`,
      '--enable-dht=false',
      '--enable-dht6=false',
      '--bt-enable-lpd=false',
      '--enable-peer-exchange=false',
      '--disable-ipv6=true',
      '--bt-max-peers=0',
      '--bt-request-peer-speed-limit=1000M',
      '--seed-ratio=0.0',
      '--file-allocation=none',
      '--disk-cache=64M',
      '--summary-interval=0',
      '--console-log-level=warn',
      '--show-console-readout=false',
      '--follow-torrent=false',
      `--max-overall-upload-limit=${job.uploadBytesPerSecond}`,
      `--max-overall-download-limit=${job.downloadBytesPerSecond}`,
      ...(role === 'seed' ? ['--bt-seed-unverified=true', '--check-integrity=false'] : []),
      `--on-bt-download-complete=${job.doneScript}`,
      `--torrent-file=${job.torrent}`,
    ],
  }),
};
