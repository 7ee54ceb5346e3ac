// transmission-daemon, told what to do by transmission-remote; a script tells when a torrent is complete.
// It chooses whom to ask and whom to serve every 10 s: tests with it are best run at the same time.

import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client, Leeching } from './client.ts';
import { programsHere } from './needs.ts';
import type { Place } from './network.ts';
import type { Stage } from './stage.ts';

interface Job {
  readonly source: string;
  readonly parent: string;
  readonly uploadBytesPerSecond?: number;
}

export const transmission: Client = {
  name: 'transmission',
  need: programsHere('transmission-daemon', 'transmission-remote'),
  habits: { noEmptyFiles: true },
  async seed(stage, job) {
    const running = await start(stage, { ...job, source: job.torrent });
    await running.completed();
    return running;
  },
  leech: (stage, job) => start(stage, job),
};

async function start(stage: Stage, job: Job): Promise<Leeching> {
  const home = await stage.newFolder('transmission');
  const place = stage.network.place();
  const control = stage.network.localPlace();
  const done = join(home, 'done');
  await writeFile(join(home, 'done.sh'), `#!/bin/sh\n: > '${done}'\n`);
  await chmod(join(home, 'done.sh'), 0o755);
  await writeFile(join(home, 'settings.json'), JSON.stringify(settings(home, place, control, job)));
  const args = ['--foreground', '--config-dir', home, '--log-info'];
  // Certificates of the tests' own, which nobody has signed, do.
  const program = stage.start('transmission', 'transmission-daemon', args, { env: { TR_CURL_SSL_NO_VERIFY: '1' } });
  await stage.listening(program, place);
  await stage.listening(program, control);
  await stage.run('transmission-remote', [control.text, '--add', job.source]);
  const completed = async (): Promise<void> => {
    await stage.until('transmission to be complete', [program], () => existsSync(done));
  };
  return { place, program, completed };
}

function settings(home: string, place: Place, control: Place, job: Job): object {
  const limit = job.uploadBytesPerSecond ?? 0;
  return {
    ...(place.family === 'IPv4' ? { 'bind-address-ipv4': place.ip } : { 'bind-address-ipv6': place.ip }),
    'peer-port': place.port,
    'peer-port-random-on-start': false,
    'port-forwarding-enabled': false,
    'dht-enabled': false,
    'lpd-enabled': false,
    'pex-enabled': false,
    'utp-enabled': false,
    'rpc-enabled': true,
    'rpc-bind-address': control.ip,
    'rpc-port': control.port,
    'rpc-whitelist-enabled': false,
    encryption: 0,
    'download-dir': job.parent,
    'download-queue-enabled': false,
    'ratio-limit-enabled': false,
    'idle-seeding-limit-enabled': false,
    'speed-limit-up-enabled': limit > 0,
    'speed-limit-up': Math.floor(limit / 1000),
    'script-torrent-done-enabled': true,
    'script-torrent-done-filename': join(home, 'done.sh'),
  };
}
