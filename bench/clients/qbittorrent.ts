// qbittorrent-nox, told what to do by its configuration file.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANY_SIZE, type Client, type Job } from './client.ts';
import { missingPrograms } from './here.ts';

export const qbittorrent: Client = {
  name: 'qbittorrent',
  mostMib: ANY_SIZE,
  missing: () => missingPrograms('qbittorrent-nox'),
  command(job) {
    const folder = join(job.home, 'qBittorrent', 'config');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'qBittorrent.conf'), configuration(job));
    const place = [`--profile=${job.home}`, `--save-path=${job.folder}`];
    return { argv: ['qbittorrent-nox', ...place, '--skip-dialog=true', '--add-paused=false', job.torrent] };
  },
};

function configuration(job: Job): string {
  const session = {
    BTProtocol: 'TCP',
    DHTEnabled: false,
    LSDEnabled: false,
    PeXEnabled: false,
    Encryption: 2,
    Interface: 'lo',
    InterfaceName: 'lo',
    InterfaceAddress: job.ip,
    Port: job.port,
    MaxConnections: -1,
    MaxConnectionsPerTorrent: -1,
    MaxUploads: -1,
    MaxUploadsPerTorrent: -1,
    MultiConnectionsPerIp: true,
    SSRFMitigation: false,
    IgnoreLimitsOnLAN: false,
    GlobalUPSpeedLimit: Math.floor(job.uploadBytesPerSecond / 1024),
    DefaultSavePath: job.folder,
    QueueingSystemEnabled: false,
  };
  return [
    '[AutoRun]\nenabled=true',
    `program=${job.doneScript}`,
    '[BitTorrent]',
    ...Object.entries(session).map(([key, value]) => `Session\\${key}=${value}`),
    '[LegalNotice]\nAccepted=true',
    '[Network]\nPortForwardingEnabled=false',
    '[Preferences]\nWebUI\\Address=127.0.0.1',
    `WebUI\\Port=${job.port + 1000}`,
    'WebUI\\UseUPnP=false\nGeneral\\Locale=en\n',
  ].join('\n');
}
