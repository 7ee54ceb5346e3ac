// The picker against a naive model: random peers come, go, deliver and fail; after every step both must agree.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bitfield } from '../base/bitfield.ts';
import { SeededRandom } from '../platform/sim/random.ts';
import { Picker, type PickPeer, type Priority } from './picker.ts';

interface ModelPeer extends PickPeer {
  have: Bitfield;
  parole: boolean;
  slow: boolean;
}

interface ModelBlock {
  asked: Set<number>;
  from: number | null;
}

class Model {
  readonly blocksOf: number[];
  readonly peers = new Map<number, ModelPeer>();
  readonly priority: number[];
  readonly verified: boolean[];
  readonly hashKnown: boolean[];
  readonly begun = new Map<number, ModelBlock[]>();
  /** Given to one peer alone. */
  readonly suspect = new Set<number>();

  constructor(blocksOf: number[]) {
    this.blocksOf = blocksOf;
    this.priority = blocksOf.map(() => 4);
    this.verified = blocksOf.map(() => false);
    this.hashKnown = blocksOf.map(() => true);
  }

  availability(piece: number): number {
    return [...this.peers.values()].filter((peer) => peer.have.has(piece)).length;
  }

  distributedCopies(): number {
    const all = this.blocksOf.map((_, piece) => this.availability(piece));
    const least = Math.min(...all);
    return least + all.filter((copies) => copies > least).length / all.length;
  }

  isPickable(piece: number): boolean {
    return this.priority[piece]! > 0 && !this.verified[piece] && this.hashKnown[piece]! && this.blocksOf[piece]! > 0;
  }

  openFor(peer: PickPeer): number[] {
    return this.blocksOf
      .map((_, piece) => piece)
      .filter((piece) => this.isPickable(piece) && !this.begun.has(piece) && peer.have.has(piece));
  }

  rank(piece: number): number {
    return -this.priority[piece]! * 1000 + this.availability(piece);
  }

  missingIn(piece: number): number {
    return this.begun.get(piece)!.filter((block) => block.from === null && block.asked.size === 0).length;
  }

  forget(peer: number): void {
    for (const blocks of this.begun.values()) for (const block of blocks) block.asked.delete(peer);
  }
}

const OUT = new Int32Array(64);

/** Everything that `pick` promises, checked with the state before the pick in the model. */
function checkPick(
  model: Model,
  picker: Picker,
  peer: ModelPeer,
  count: number,
  maxNew: number,
  sequential: boolean,
): void {
  const got = picker.pick(peer, count, maxNew, OUT);
  expect(got).toBeLessThanOrEqual(count);
  let began = 0;
  let duplicates = 0;
  for (let i = 0; i < got; i++) {
    const [piece, block] = [OUT[2 * i]!, OUT[2 * i + 1]!];
    expect(peer.have.has(piece)).toBe(true);
    expect(model.isPickable(piece)).toBe(true);
    if (!model.begun.has(piece)) {
      const open = model.openFor(peer);
      if (sequential) {
        const top = Math.max(...open.map((other) => model.priority[other]!));
        expect(piece).toBe(open.find((other) => model.priority[other] === top));
      } else {
        expect(model.rank(piece)).toBe(Math.min(...open.map((other) => model.rank(other))));
      }
      began++;
      model.begun.set(
        piece,
        Array.from({ length: model.blocksOf[piece]! }, () => ({ asked: new Set<number>(), from: null })),
      );
      if (peer.parole) model.suspect.add(piece);
    }
    const state = model.begun.get(piece)![block]!;
    expect(state.from).toBe(null);
    expect(state.asked.has(peer.number)).toBe(false);
    if (state.asked.size > 0) duplicates++;
    state.asked.add(peer.number);
    expect(state.asked.size).toBeLessThanOrEqual(2);
    if (peer.parole) {
      const others = model.begun.get(piece)!.some((other) => [...other.asked].some((asked) => asked !== peer.number));
      expect(others).toBe(false);
    }
  }
  expect(began).toBe(picker.lastPickBegan);
  expect(began).toBeLessThanOrEqual(maxNew);
  if (duplicates > 0) checkEndgame(model);
  if (got < count && began < maxNew) expect(model.openFor(peer)).toEqual([]);
  if (got < count && !peer.parole) {
    for (const piece of model.begun.keys()) {
      if (model.suspect.has(piece) || !peer.have.has(piece) || !model.isPickable(piece)) continue;
      expect(model.missingIn(piece)).toBe(0);
    }
  }
}

/** No block is asked for twice while one that somebody has is asked of nobody. */
function checkEndgame(model: Model): void {
  for (const [piece] of model.begun) {
    if (!model.isPickable(piece) || model.suspect.has(piece) || model.availability(piece) === 0) continue;
    expect(model.missingIn(piece)).toBe(0);
  }
  const open = model.blocksOf.findIndex(
    (_, piece) => model.isPickable(piece) && !model.begun.has(piece) && model.availability(piece) > 0,
  );
  expect(open).toBe(-1);
}

function checkFacts(model: Model, picker: Picker): void {
  const pieces = model.blocksOf.map((_, piece) => piece);
  expect(pieces.map((piece) => picker.availability(piece))).toEqual(pieces.map((piece) => model.availability(piece)));
  expect(picker.distributedCopies()).toBeCloseTo(model.distributedCopies(), 9);
  expect(picker.wantedLeft).toBe(pieces.filter((p) => model.priority[p]! > 0 && !model.verified[p]).length);
  expect(new Set(picker.begunPieces())).toEqual(new Set(model.begun.keys()));
  for (const peer of model.peers.values()) {
    const wants = pieces.some(
      (p) => peer.have.has(p) && model.priority[p]! > 0 && !model.verified[p] && model.blocksOf[p]! > 0,
    );
    expect(picker.isInteresting(peer.have)).toBe(wants);
  }
  const out = new Int32Array(4);
  for (const [piece, blocks] of model.begun) {
    expect(picker.isPieceComplete(piece)).toBe(blocks.every((block) => block.from !== null));
    expect([...picker.contributors(piece)].map((from, i) => (blocks[i]!.from === null ? null : from))).toEqual(
      blocks.map((block) => block.from),
    );
    for (const [block, state] of blocks.entries()) {
      const asked = [...out.subarray(0, picker.requesters(piece, block, out))].sort();
      expect(asked).toEqual([...state.asked].sort());
    }
  }
}

type Step = { act: number; a: number; b: number; c: number };

function run(blocksOf: number[], seed: number, steps: Step[]): void {
  const model = new Model(blocksOf);
  const picker = new Picker(
    { pieceCount: blocksOf.length, blockCount: (piece) => blocksOf[piece]! },
    new SeededRandom(seed, 'picker'),
  );
  let sequential = false;
  const someAsked = (at: number): [number, number, number] | null => {
    const all: [number, number, number][] = [];
    for (const [piece, blocks] of model.begun) {
      for (const [block, state] of blocks.entries()) for (const peer of state.asked) all.push([piece, block, peer]);
    }
    return all.length === 0 ? null : all[at % all.length]!;
  };
  for (const { act, a, b, c } of steps) {
    const piece = b % blocksOf.length;
    const number = a % 6;
    const peer = model.peers.get(number);
    const asked = someAsked(c);
    if (act === 0 && !peer) {
      const have = new Bitfield(blocksOf.length);
      if (b % 3 === 0) have.setAll();
      else for (let i = 0; i < blocksOf.length; i++) if ((c >> (i % 16)) & 1) have.set(i);
      model.peers.set(number, { number, have, parole: b % 7 === 0, slow: c % 3 === 0 });
      picker.peerJoined(have);
    } else if (act === 1 && peer && c % 4 === 0) {
      picker.peerLeft(peer.have);
      picker.peerGone(number);
      model.peers.delete(number);
      model.forget(number);
    } else if (act === 2 && peer?.have.set(piece)) picker.peerHas(piece);
    else if (act === 3 && peer?.have.clear(piece)) picker.peerLost(piece);
    else if (act >= 4 && act <= 7 && peer) checkPick(model, picker, peer, c % 9, b % 3, sequential);
    else if (act >= 8 && act <= 11 && asked) {
      const state = model.begun.get(asked[0])![asked[1]]!;
      const first = state.from === null;
      expect(picker.expects(...asked)).toBe(first);
      expect(picker.blockArrived(...asked)).toBe(first ? 'first' : 'duplicate');
      state.asked.delete(asked[2]);
      if (first) state.from = asked[2];
    } else if (act === 12 && asked) {
      picker.requestLost(...asked);
      model.begun.get(asked[0])![asked[1]]!.asked.delete(asked[2]);
    } else if (act === 13) {
      const priority = (c % 8) as Priority;
      picker.setPriority(piece, priority);
      model.priority[piece] = priority;
    } else if (act === 14) {
      const done = [...model.begun.keys()].find((at) => picker.isPieceComplete(at));
      if (done === undefined) continue;
      const blocks = model.begun.get(done)!;
      if (c % 3 === 0) {
        picker.pieceFailed(done, null);
        for (const block of blocks) [block.from, block.asked] = [null, new Set()];
        model.suspect.add(done);
      } else if (c % 3 === 1) {
        const bad = b % blocks.length;
        picker.pieceFailed(done, [bad]);
        [blocks[bad]!.from, blocks[bad]!.asked] = [null, new Set()];
      } else {
        picker.setVerified(done);
        model.verified[done] = true;
        model.begun.delete(done);
      }
    } else if (act === 15 && c % 2 === 0) {
      picker.lose(piece);
      model.verified[piece] = false;
    } else if (act === 16 && c % 4 === 0) {
      picker.setVerified(piece);
      model.verified[piece] = true;
      model.begun.delete(piece);
    } else if (act === 17) {
      picker.setHashKnown(piece, c % 2 === 0);
      model.hashKnown[piece] = c % 2 === 0;
    } else if (act === 18) {
      picker.dropPiece(piece);
      model.begun.delete(piece);
    } else if (act === 19) {
      sequential = c % 2 === 0;
      picker.setSequential(sequential);
    }
    for (const at of model.suspect) if (!model.begun.has(at)) model.suspect.delete(at);
    checkFacts(model, picker);
  }
}

describe('the picker beside a naive model', () => {
  it('agrees after every step of random lives of a swarm', () => {
    const step = fc.record({
      act: fc.integer({ min: 0, max: 19 }),
      a: fc.nat(1000),
      b: fc.nat(1000),
      c: fc.nat(0xffff),
    });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
        fc.integer(),
        fc.array(step, { minLength: 20, maxLength: 150 }),
        run,
      ),
      { numRuns: 300 },
    );
  });
});
