import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pattern } from '../../../test/contract/recorder.ts';
import { newSimWorld } from '../../../test/contract/sim-world.ts';
import { equalBytes, toHex, utf8 } from '../../base/bytes.ts';
import type { ContentSpec, PieceCheck } from '../../ports/piece-io.ts';
import { SeededRandom } from './random.ts';
import { SparseBytes } from './sparse.ts';

const sha1 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(bytes).digest());
const checkOf = (bytes: Uint8Array): PieceCheck => ({ sha1: sha1(bytes), root: null, treeBytes: 0, leafCount: 0 });
const span = (file: number, offset: number, at: number, length: number): Float64Array =>
  Float64Array.of(file, offset, at, length);

function contentOf(lengthBytes: number): ContentSpec {
  const files = [{ path: ['file'], lengthBytes, executable: false }];
  return { root: '/content', files, writable: true, preallocate: false };
}

describe('SparseBytes', () => {
  it('is like a plain array of bytes under writes, cuts and reads', () => {
    const step = fc.oneof(
      fc.record({ at: fc.nat(60_000), length: fc.nat(40_000), salt: fc.nat(255) }),
      fc.record({ cut: fc.nat(100_000) }),
      fc.record({ sync: fc.constant(true) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const sparse = new SparseBytes();
        let model = new Uint8Array(0);
        const grow = (length: number): void => {
          const grown = new Uint8Array(length);
          grown.set(model.subarray(0, length));
          model = grown;
        };
        for (const action of steps) {
          if ('cut' in action) {
            sparse.setLength(action.cut);
            grow(action.cut);
          } else if ('sync' in action) sparse.sync();
          else {
            const bytes = pattern(action.length, action.salt);
            sparse.write(action.at, bytes);
            if (action.at + bytes.length > model.length) grow(action.at + bytes.length);
            model.set(bytes, action.at);
          }
        }
        const out = new Uint8Array(model.length).fill(9);
        expect(sparse.lengthBytes).toBe(model.length);
        expect(sparse.read(0, out)).toBe(true);
        expect(equalBytes(out, model)).toBe(true);
        expect(sparse.read(1, out)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves after a crash in each sector what was synced or what was written since', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(60_000), fc.nat(30_000), (seed, at, length) => {
        const sparse = new SparseBytes();
        const old = pattern(80_000, 1);
        sparse.write(0, old);
        sparse.sync();
        const changed = pattern(80_000, 1);
        changed.fill(0xee, at, Math.min(80_000, at + length));
        sparse.write(at, changed.subarray(at, Math.min(80_000, at + length)));
        sparse.tear(new SeededRandom(seed, 'tear'));
        const out = new Uint8Array(80_000);
        expect(sparse.read(0, out)).toBe(true);
        for (let sector = 0; sector < out.length; sector += 4096) {
          const now = out.subarray(sector, sector + 4096);
          const isOld = equalBytes(now, old.subarray(sector, sector + 4096));
          expect(isOld || equalBytes(now, changed.subarray(sector, sector + 4096))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes no memory for holes', () => {
    const sparse = new SparseBytes();
    sparse.write(1e12, utf8('far out'));
    expect(sparse.lengthBytes).toBe(1e12 + 7);
    expect(sparse.allocatedBytes).toBeLessThan(20_000);
  });
});

describe('a simulated disk', () => {
  it('keeps what was synced over any crash, and loses or tears some of the rest', async () => {
    const lost = new Set<string>();
    for (let seed = 1; seed <= 30; seed++) {
      const world = newSimWorld({ seed });
      const host = world.addHost();
      const piece = pattern(65536, seed);
      const work = async (): Promise<void> => {
        const { pieceIo } = host.env;
        const content = pieceIo.open(contentOf(4 * 65536));
        for (let i = 0; i < 4; i++) {
          const slot = pieceIo.acquire(65536)!;
          slot.bytes.set(piece);
          expect(await content.commit(slot, checkOf(piece), span(0, i * 65536, 0, 65536))).toMatchObject({
            good: true,
          });
          if (i === 1) await content.sync();
        }
      };
      await world.run(work());
      host.powerCut();
      host.restart();
      const left = host.hands.read('/content/file')!;
      expect(equalBytes(left.subarray(0, 65536), piece) && equalBytes(left.subarray(65536, 131072), piece)).toBe(true);
      lost.add(equalBytes(left.subarray(131072), pattern(131072, seed)) ? 'nothing' : 'something');
      lost.add(`length ${left.length}`);
    }
    expect(lost).toContain('something');
    expect(lost).toContain('length 131072');
    expect(lost).toContain('length 262144');
  });

  it('keeps what was written when only the program is killed', async () => {
    const world = newSimWorld();
    const host = world.addHost();
    const bytes = pattern(100_000);
    await world.run(host.env.files.write('/file', bytes));
    host.crash({ losesUnsynced: false });
    const env = host.restart();
    expect(equalBytes(await world.run(env.files.read('/file', 1e6)), bytes)).toBe(true);
  });

  it('leaves the old value or the new one when it dies while writing it', async () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 20; seed++) {
      const world = newSimWorld({ seed });
      const host = world.addHost();
      await world.run(host.env.store.write('key', utf8('old')));
      void host.env.store.write('key', utf8('new'));
      host.crash();
      const value = await world.run(host.restart().store.read('key'));
      seen.add(new TextDecoder().decode(value!));
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });

  it('tears only the end of a log, in the order of its appends', async () => {
    const lengths = new Set<number>();
    for (let seed = 1; seed <= 40; seed++) {
      const world = newSimWorld({ seed });
      const host = world.addHost();
      const log = await world.run(host.env.store.openLog('journal', 1e6));
      await world.run(log.append(utf8('safe ')));
      void log.append(utf8('under way '));
      void log.append(utf8('not begun '));
      host.crash();
      const { initial } = await world.run(host.restart().store.openLog('journal', 1e6));
      const text = new TextDecoder('latin1').decode(initial);
      expect(text.startsWith('safe ')).toBe(true);
      expect(text).not.toContain('not begun');
      expect(initial.length).toBeLessThanOrEqual('safe under way '.length);
      lengths.add(initial.length);
    }
    expect(lengths.size).toBeGreaterThan(4);
  });

  it('frees locks at a crash, and never before', async () => {
    const world = newSimWorld();
    const host = world.addHost();
    expect(await world.run(host.env.store.lock('a'))).not.toBeNull();
    expect(await world.run(host.env.store.lock('a'))).toBeNull();
    host.crash();
    expect(await world.run(host.restart().store.lock('a'))).not.toBeNull();
  });

  it('is full at its capacity, and has room again after a removal', async () => {
    const world = newSimWorld();
    const host = world.addHost({ disk: { capacityBytes: 100_000 } });
    const { files, store } = host.env;
    await world.run(files.write('/one', new Uint8Array(60_000)));
    await expect(world.run(files.write('/two', new Uint8Array(60_000)))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(world.run(store.write('k', new Uint8Array(60_000)))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await world.run(files.info('/two'))).toBeNull();
    await world.run(files.remove('/one'));
    await world.run(files.write('/two', new Uint8Array(60_000)));
    expect(host.disk.usedBytes).toBeLessThanOrEqual(100_000);
  });

  it('gives a removed or replaced file back to the account', async () => {
    const world = newSimWorld();
    const host = world.addHost();
    await world.run(host.env.store.write('k', new Uint8Array(500)));
    for (let i = 0; i < 3; i++) await world.run(host.env.files.write('/f', new Uint8Array(5000)));
    await world.run(host.env.files.remove('/f'));
    await world.run(host.env.store.remove('k'));
    expect(host.disk.usedBytes).toBe(0);
  });

  it('fails as it is told, once, and is read-only while it is told', async () => {
    const world = newSimWorld();
    const host = world.addHost();
    const { files } = host.env;
    host.disk.failNext('IO', 'read');
    host.disk.failNext('DISK_FULL');
    await expect(world.run(files.write('/f', utf8('x')))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await world.run(files.write('/f', utf8('x')));
    await expect(world.run(files.read('/f', 10))).rejects.toMatchObject({ code: 'IO' });
    expect(await world.run(files.read('/f', 10))).toEqual(utf8('x'));
    host.disk.isReadOnly = true;
    await expect(world.run(files.write('/f', utf8('y')))).rejects.toMatchObject({ code: 'READ_ONLY' });
    host.disk.isReadOnly = false;
    await world.run(files.write('/f', utf8('z')));
  });

  it('takes virtual time to hash, to write and to read', async () => {
    const world = newSimWorld();
    const disk = {
      writeBytesPerSecond: 1e6,
      readBytesPerSecond: 2e6,
      hashBytesPerSecond: 4e6,
      latencyMs: 0,
      syncMs: 7,
    };
    const { pieceIo, clock } = world.addHost({ disk }).env;
    const content = pieceIo.open(contentOf(1_000_000));
    const slot = pieceIo.acquire(1_000_000)!;
    const timed = async (work: Promise<unknown>): Promise<number> => {
      const before = clock.nowMs();
      await world.run(work);
      return Math.round(clock.nowMs() - before);
    };
    expect(await timed(content.commit(slot, checkOf(slot.bytes), span(0, 0, 0, 1_000_000)))).toBe(1250);
    expect(await timed(content.read(span(0, 0, 0, 1_000_000), new Uint8Array(1_000_000)))).toBe(500);
    expect(await timed(content.sync())).toBe(7);
  });

  it('shows who changes a slot while it is committed, or gives it back before', async () => {
    for (const harm of ['change', 'release'] as const) {
      const world = newSimWorld();
      const { pieceIo } = world.addHost({ disk: { writeBytesPerSecond: 1e6 } }).env;
      const content = pieceIo.open(contentOf(1000));
      const slot = pieceIo.acquire(1000)!;
      slot.bytes.set(pattern(1000));
      const commit = content.commit(slot, checkOf(slot.bytes), span(0, 0, 0, 1000));
      commit.catch(() => undefined);
      await world.advance(0.5);
      if (harm === 'change') slot.bytes[5]!++;
      else pieceIo.release(slot);
      await expect(world.run(commit)).rejects.toThrow('does not change while it is committed');
    }
  });

  it('overwrites a slot that is given back', () => {
    const { pieceIo } = newSimWorld().addHost().env;
    const slot = pieceIo.acquire(100)!;
    pieceIo.release(slot);
    expect(slot.bytes.every((byte) => byte === 0xdd)).toBe(true);
    expect(() => pieceIo.release(slot)).toThrow('released once');
  });

  it('tells names that are no UTF-8 as they are, and is changed by hand without time', async () => {
    const world = newSimWorld();
    const host = world.addHost();
    host.hands.write('/folder/b\udcff\udc80d', utf8('x'));
    host.hands.write('/folder/ø😀', utf8('y'));
    host.hands.link('/loop', '/loop');
    const entries = await world.run(host.env.files.entries('/folder'));
    const names = entries.map(({ name }) => (typeof name === 'string' ? name : toHex(name)));
    expect(names).toEqual(['62ff8064', 'ø😀']);
    await expect(world.run(host.env.files.realPath('/loop'))).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    host.hands.damage('/folder/ø😀', 0, utf8('!'));
    expect(host.hands.read('/folder/ø😀')).toEqual(utf8('!'));
    expect(host.hands.read('/nowhere')).toBeNull();
  });
});
