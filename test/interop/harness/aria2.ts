// aria2c: one process a torrent; a script tells when it is complete.

import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Leeching } from './client.ts';
import { programsHere } from './needs.ts';
import type { Stage } from './stage.ts';

interface Job {
  readonly source: string;
  readonly parent: string;
  readonly uploadBytesPerSecond?: number;
}

export const aria2: Client = {
  name: 'aria2',
  need: programsHere('aria2c'),
  habits: { ownFiles: '.aria2' },
  // Checks the content first: it must find it good to seed it.
  seed: (stage, job) => start(stage, { ...job, source: job.torrent }, ['--check-integrity=true']),
  leech: (stage, job) => start(stage, job, []),
};

async function start(stage: Stage, job: Job, more: readonly string[]): Promise<Leeching> {
  const home = await stage.newFolder('aria2');
  const place = stage.network.place();
  const done = join(home, 'done');
  const script = join(home, 'done.sh');
  // Its third argument is the first file; of a magnet link's metadata it is no path.
  await writeFile(script, `#!/bin/sh\ncase "$3" in /*) : > '${done}' ;; esac\n`);
  await chmod(script, 0o755);
  const args = [
    '--no-conf',
    `--dir=${job.parent}`,
    `--interface=${place.ip}`,
    `--listen-port=${place.port}`,
    // Without its DHT it asks no UDP tracker; nobody else here has one.
    '--enable-dht=true',
    `--dht-listen-port=${place.port}`,
    `--dht-file-path=${join(home, 'dht.dat')}`,
    '--enable-dht6=false',
    '--bt-enable-lpd=false',
    '--enable-peer-exchange=false',
    `--disable-ipv6=${place.family === 'IPv4'}`,
    // The tests' own, which nobody has signed.
    '--check-certificate=false',
    '--file-allocation=none',
    '--seed-ratio=0.0',
    '--follow-torrent=mem',
    '--summary-interval=0',
    '--show-console-readout=false',
    '--console-log-level=notice',
    `--max-overall-upload-limit=${job.uploadBytesPerSecond ?? 0}`,
    `--on-bt-download-complete=${script}`,
    ...more,
    job.source,
  ];
  const program = stage.start('aria2', 'aria2c', args, { env: { HOME: home } });
  await stage.listening(program, place);
  const completed = async (): Promise<void> => {
    await stage.until('aria2 to be complete', [program], () => existsSync(done));
  };
  return { place, program, completed };
}
