import { describe, expect, it } from 'vitest';
import { Address } from '../../base/address.ts';
import { utf8 } from '../../base/bytes.ts';
import { SeededRandom } from '../../platform/sim/index.ts';
import { AnnounceFields, EVENT_NONE, EVENT_STARTED } from '../protocol/announce.ts';
import { PathKey } from './access.ts';
import { AnnounceRules } from './announce.ts';
import { SwarmTable } from './table/swarm-table.ts';

const table = (): SwarmTable => SwarmTable.local(new SeededRandom(1, 'table'), { maxSwarms: 10, maxPeers: 100 });

/** Announces as the client `id` at 10.0.0.`host`; gives who it is told of. */
function announce(
  rules: AnnounceRules,
  id: string,
  host: number,
  left: number,
  event: number = EVENT_STARTED,
): string[] {
  const fields = new AnnounceFields();
  fields.peerId.set(utf8(id));
  Object.assign(fields, { port: 6881, left, event });
  expect(rules.handle(fields, new PathKey(), Uint8Array.of(10, 0, 0, host), 1000, false)).toBeNull();
  return Address.listFromCompact(rules.peers4.subarray(0, rules.length4), 4).map(String);
}

describe('AnnounceRules', () => {
  const rules = (): AnnounceRules => new AnnounceRules(table(), { peersPerReply: 50, maxPeersPerReply: 200 });

  it('tells leeches of everyone and seeds of leeches', () => {
    const all = rules();
    announce(all, '-XX0001-seed', 1, 0);
    expect(announce(all, '-XX0001-seed', 2, 0)).toEqual([]);
    expect(announce(all, '-XX0001-leech', 3, 7).sort()).toEqual(['10.0.0.1:6881', '10.0.0.2:6881']);
    expect(announce(all, '-XX0001-seed', 1, 0)).toEqual(['10.0.0.3:6881']);
  });

  it('tells an aria2 that starts of seeds: with a magnet link it says that nothing is left', () => {
    const all = rules();
    announce(all, '-XX0001-seed', 1, 0);
    expect(announce(all, 'A2-1-36-0-abcdefghij', 2, 0)).toEqual(['10.0.0.1:6881']);
    expect(announce(all, 'A2-1-36-0-abcdefghij', 2, 0, EVENT_NONE)).toEqual([]);
  });
});
