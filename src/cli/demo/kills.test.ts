import { describe, expect, it } from 'vitest';
import { Bitfield } from '../../base/bitfield.ts';
import type { StatusEvent } from '../status.ts';
import { allOut, killInWindow, type Observed } from './kills.ts';
import { Leech, type Member } from './swarm.ts';

const PIECES = 3;
const nothing = async (): Promise<void> => undefined;
const actor = { pid: 7, kill: nothing, stop: nothing };
const tracker: Member = { name: 'tracker 1', actor, ready: { event: 'ready', listen: [] } };

/** Leeches that have these pieces; `onKill` is what happens while the process dies. */
function observed(haves: readonly (readonly number[])[], onKill: (swarm: Observed) => void): Observed {
  const out = new Bitfield(PIECES);
  const leeches = haves.map((pieces, i) => {
    const leech = new Leech(`leech ${i}`, actor, '', PIECES);
    for (const piece of pieces) {
      leech.have.set(piece);
      out.set(piece);
    }
    return leech;
  });
  const until = async (condition: () => boolean): Promise<void> => {
    if (!condition()) for (const leech of leeches) speak(leech);
    if (!condition()) throw new Error('it would wait for ever');
  };
  const swarm: Observed = { leeches, out, seconds: 12, until, kill: async () => onKill(swarm) };
  return swarm;
}

function speak(leech: Leech): void {
  leech.status = { time: Date.now() } as StatusEvent;
}

describe('a kill', () => {
  it('counts when every leech lacks something in its last word before and its first word after', async () => {
    const swarm = observed([[0, 1], [1], [2]], ({ leeches }) => leeches[1]!.have.set(0));
    await allOut(swarm);
    expect(await killInWindow(swarm, tracker)).toEqual({
      name: 'tracker 1',
      pid: 7,
      atSeconds: 12,
      piecesOut: 3,
      leeches: [
        { name: 'leech 0', before: 2, after: 2 },
        { name: 'leech 1', before: 1, after: 2 },
        { name: 'leech 2', before: 1, after: 1 },
      ],
    });
  });

  it('does not count when a leech is complete before or right after it', async () => {
    const early = observed([[0, 1, 2], [], []], () => undefined);
    await expect(allOut(early)).rejects.toThrow('leech 0 had all 3 pieces before the content was out');
    await expect(killInWindow(early, tracker)).rejects.toThrow('leech 0 had all 3 pieces before tracker 1 was killed');
    const meanwhile = observed([[0, 1], [2], []], ({ leeches }) => leeches[0]!.have.set(2));
    await expect(killInWindow(meanwhile, tracker)).rejects.toMatchObject({ code: 'UNFINISHED' });
  });
});
