// A swarm in the simulated world: hosts with sessions, one torrent, content compared at the end.

import { createTorrent } from '../../src/create/create.ts';
import { parseMetainfo } from '../../src/metainfo/parse.ts';
import type { Metainfo } from '../../src/metainfo/types.ts';
import type { HostOptions } from '../../src/platform/sim/index.ts';
import { SeededRandom, type SimHost, type SimWorld, type WorldOptions } from '../../src/platform/sim/index.ts';
import type { Env } from '../../src/ports/env.ts';
import type { AddRequest } from '../../src/session/request.ts';
import { Session } from '../../src/session/session.ts';
import type { Torrent } from '../../src/torrent/torrent.ts';
import { newSimWorld } from '../contract/sim-world.ts';

export const PORT = 6881;

export interface Member {
  readonly host: SimHost;
  readonly session: Session;
  readonly torrent: Torrent;
}

export interface Other {
  readonly metainfo: Metainfo;
  readonly content: Uint8Array;
}

export interface SwarmPlan {
  readonly seed: number;
  readonly lengthBytes: number;
  readonly pieceLengthBytes: number;
  readonly meta?: 'v1' | 'v2' | 'hybrid';
  readonly trackers?: string[][];
  readonly world?: Partial<WorldOptions>;
}

/** A world, content and its torrent; members join one by one. */
export class SimSwarm {
  readonly world: SimWorld;
  readonly content: Uint8Array;
  readonly plan: SwarmPlan;
  metainfo!: Metainfo;
  readonly members: Member[] = [];

  private constructor(plan: SwarmPlan) {
    this.plan = plan;
    this.world = newSimWorld({ seed: plan.seed, ...plan.world });
    this.content = new Uint8Array(plan.lengthBytes);
    new SeededRandom(plan.seed, 'content').fill(this.content);
  }

  static async make(plan: SwarmPlan): Promise<SimSwarm> {
    const swarm = new SimSwarm(plan);
    const maker = swarm.world.addHost({ name: 'maker' });
    maker.hands.write('/share/content.bin', swarm.content);
    const { bytes } = await swarm.world.run(
      createTorrent(maker.env, {
        path: '/share/content.bin',
        meta: plan.meta ?? 'v1',
        pieceLengthBytes: plan.pieceLengthBytes,
        symlinks: 'follow',
        trackers: plan.trackers ?? [],
        webSeeds: [],
        private: false,
      }),
    );
    swarm.metainfo = parseMetainfo(bytes, maker.env.hashes);
    return swarm;
  }

  host(name: string, options: HostOptions = {}): SimHost {
    return this.world.addHost({ name, ...options });
  }

  /** A seed with the whole content. `damage` is done to it behind its back, once it is seeding. */
  seed(host: SimHost, request: Partial<AddRequest> = {}): Promise<Member> {
    host.hands.write('/share/content.bin', this.content);
    return this.join(host, { mode: 'seed', contentPath: '/share/content.bin', ...request });
  }

  leech(host: SimHost, from: readonly Member[], request: Partial<AddRequest> = {}): Promise<Member> {
    const peers = from.flatMap((member) => member.session.listening);
    return this.join(host, { mode: 'get', saveFolder: '/got', peers, ...request });
  }

  async join(host: SimHost, request: Partial<AddRequest>, place: { env?: Env; port?: number } = {}): Promise<Member> {
    const work = (async () => {
      const opened = await Session.open(place.env ?? host.env, { listen: { ip: host.ip, port: place.port ?? PORT } });
      const source = request.magnet ? {} : { metainfo: this.metainfo };
      const torrent = await opened.add({ mode: 'get', recheck: 'as-needed', ...source, ...request });
      return { host, session: opened, torrent };
    })();
    const member = await this.world.run(work);
    this.members.push(member);
    return member;
  }

  /** Waits until all have everything; throws with the seed where one does not. */
  async complete(members: readonly Member[], limitMs = 600_000): Promise<void> {
    await this.world.run(Promise.all(members.map((member) => member.torrent.completed())), limitMs);
    for (const { host } of members) {
      const got = host.hands.read('/got/content.bin');
      if (!got || !Buffer.from(got).equals(this.content))
        throw new Error(`seed ${this.plan.seed}: ${host.name} has wrong bytes`);
    }
  }

  /** Ends every session that still runs; throws where something is left open. */
  async close(): Promise<void> {
    await this.world.run(Promise.all(this.members.map(({ session }) => session.close({ deadlineMs: 1000 }))));
    const leaks = this.world.leaks();
    if (leaks.length > 0) throw new Error(`seed ${this.plan.seed}: left open: ${leaks.join('; ')}`);
  }

  /** Another single file and its torrent, for sessions that have several. */
  async another(name: string, lengthBytes: number, pieceLengthBytes: number): Promise<Other> {
    const maker = this.world.addHost({ name: `maker of ${name}` });
    const content = new Uint8Array(lengthBytes);
    new SeededRandom(this.plan.seed, name).fill(content);
    maker.hands.write(`/share/${name}`, content);
    const kind = { meta: 'v1', symlinks: 'follow', trackers: [], webSeeds: [], private: false } as const;
    const { bytes } = await this.world.run(
      createTorrent(maker.env, { path: `/share/${name}`, pieceLengthBytes, ...kind }),
    );
    return { metainfo: parseMetainfo(bytes, maker.env.hashes), content };
  }

  /** Takes a member out that was killed: its session cannot be closed any more. */
  forget(member: Member): void {
    this.members.splice(this.members.indexOf(member), 1);
  }
}
