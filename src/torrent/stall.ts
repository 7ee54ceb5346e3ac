// Why a torrent is slow or stuck: its own facts, weighed and said in words.

import type { TrackerState } from '../tracker/client/tracked.ts';
import type { Live } from './live.ts';

export type StallCode =
  | 'no-sources'
  | 'trackers-failing'
  | 'no-peers-known'
  | 'peers-unreachable'
  | 'waiting-for-metadata'
  | 'peers-lack-pieces'
  | 'all-choking'
  | 'peers-silent'
  | 'rate-limited'
  | 'disk-busy';

export interface StallReason {
  readonly code: StallCode;
  /** One sentence for a person. */
  readonly text: string;
}

/** While the files get their final form and are synced: on a slow disk many small ones take minutes. */
export const FINISHING: StallReason = { code: 'disk-busy', text: 'all has arrived and is being put onto the disk' };

/** The reasons that hold now, the most telling first; none while all goes well or nothing is wanted. */
export function stallReasons(live: Live, trackers: readonly TrackerState[], limited: boolean): StallReason[] {
  if (live.isDone()) return [];
  return live.swarm.peers.length === 0 ? withoutPeers(live, trackers) : withPeers(live, limited);
}

function withoutPeers(live: Live, trackers: readonly TrackerState[]): StallReason[] {
  const out: StallReason[] = [];
  const known = live.swarm.book.size;
  const failing = trackers.filter((tracker) => tracker.lastError !== null && tracker.state !== 'working');
  if (trackers.length === 0 && known === 0) {
    out.push({ code: 'no-sources', text: 'it names no tracker, and no peer was given' });
  }
  if (failing.length > 0) {
    const words = failing.slice(0, 3).map((tracker) => `${tracker.url}: ${tracker.lastError}`);
    const all =
      failing.length === trackers.length
        ? 'no tracker answers'
        : `${failing.length} of ${trackers.length} trackers fail`;
    out.push({ code: 'trackers-failing', text: `${all} (${words.join('; ')})` });
  } else if (known === 0 && trackers.length > 0) {
    const asking = trackers.some((tracker) => tracker.state === 'asking');
    out.push({
      code: 'no-peers-known',
      text: asking ? 'waiting for a tracker to answer' : 'the trackers know no other peer',
    });
  }
  if (known > 0) {
    out.push({
      code: 'peers-unreachable',
      text: `none of ${count(known, 'known peer')} answers; they are tried again and again`,
    });
  }
  return out;
}

function withPeers(live: Live, limited: boolean): StallReason[] {
  const peers = live.swarm.peers;
  if (live.core === null) {
    return [
      {
        code: 'waiting-for-metadata',
        text: `${count(peers.length, 'peer')} connected, none has sent the metadata yet`,
      },
    ];
  }
  const useful = peers.filter((peer) => peer.amInterested);
  if (useful.length === 0) {
    const left = live.core.picker.wantedLeft;
    return [
      {
        code: 'peers-lack-pieces',
        text: `${count(peers.length, 'peer')} connected, but none has any of the ${count(left, 'missing piece')}`,
      },
    ];
  }
  const out: StallReason[] = [];
  const open = useful.filter((peer) => !peer.isChoking);
  if (limited) out.push({ code: 'rate-limited', text: 'the download limit is reached' });
  if (open.length === 0) {
    out.push({
      code: 'all-choking',
      text: `${count(useful.length, 'peer')} with missing pieces choke us; they unchoke in turns`,
    });
  } else if (open.every((peer) => peer.snubbed)) {
    out.push({ code: 'peers-silent', text: `${count(open.length, 'peer')} let us ask but send nothing` });
  }
  if ((live.exchange?.download.committing ?? 0) > 4) {
    out.push({ code: 'disk-busy', text: `${live.exchange!.download.committing} pieces wait to be hashed and written` });
  }
  return out;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
