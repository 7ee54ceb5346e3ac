// What every Store does, in the real world and in the simulated one.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import type { Store } from '../../src/ports/store.ts';
import { inWorld, type MakeWorld } from './world.ts';

const MAX = 1 << 20;

export function storeContract(name: string, makeWorld: MakeWorld): void {
  const inStore = (body: (store: Store) => Promise<void>) => () => inWorld(makeWorld, ({ a }) => body(a.env.store));

  describe(`${name}: values of the store`, () => {
    it(
      'keeps values by key and has null for what is not there',
      inStore(async (store) => {
        expect(await store.read('a')).toBeNull();
        expect(await store.read('folder/b')).toBeNull();
        await store.write('a', utf8('one'));
        await store.write('folder/b', utf8('two'));
        await store.write('a', utf8('three'));
        await store.write('empty', new Uint8Array(0));
        expect(await store.read('a')).toEqual(utf8('three'));
        expect(await store.read('folder/b')).toEqual(utf8('two'));
        expect(await store.read('empty')).toEqual(new Uint8Array(0));
      }),
    );

    it(
      'lists keys of values and logs that begin with a prefix, sorted',
      inStore(async (store) => {
        expect(await store.list('')).toEqual([]);
        for (const key of ['t/b/x', 't/a', 'tt', 'u', 't/b.c']) await store.write(key, utf8(key));
        const log = await store.openLog('t/log', MAX);
        await log.append(utf8('x'));
        const unwritten = await store.openLog('t/none', MAX);
        const lock = await store.lock('t/held');
        expect(await store.list('')).toEqual(['t/a', 't/b.c', 't/b/x', 't/log', 'tt', 'u']);
        expect(await store.list('t/')).toEqual(['t/a', 't/b.c', 't/b/x', 't/log']);
        expect(await store.list('t/b')).toEqual(['t/b.c', 't/b/x']);
        expect(await store.list('t')).toEqual(['t/a', 't/b.c', 't/b/x', 't/log', 'tt']);
        expect(await store.list('nothing/')).toEqual([]);
        await unwritten.close();
        await log.close();
        await lock!.release();
      }),
    );

    it(
      'removes values and logs, silently where there is none',
      inStore(async (store) => {
        await store.write('a/b', utf8('one'));
        const log = await store.openLog('a/log', MAX);
        await log.append(utf8('x'));
        await log.close();
        for (const key of ['a/b', 'a/log', 'a/c', 'z']) await store.remove(key);
        expect(await store.list('')).toEqual([]);
        expect(await store.read('a/b')).toBeNull();
      }),
    );

    it(
      'carries out many writes at once, each whole',
      inStore(async (store) => {
        const values = Array.from({ length: 20 }, (_, i) => new Uint8Array(5000).fill(i));
        await Promise.all(values.map((value, i) => store.write(`k/${i % 5}`, value)));
        for (let i = 0; i < 5; i++) {
          const value = (await store.read(`k/${i}`))!;
          expect(value.length).toBe(5000);
          expect(new Set(value).size).toBe(1);
          expect(value[0]! % 5).toBe(i);
        }
      }),
    );

    it(
      'refuses what is no key',
      inStore(async (store) => {
        for (const key of ['', '/a', 'a/', 'a//b', '../a', 'a/../b', '.', 'A', 'a b', 'a~b', 'a\\b', 'a\0']) {
          await expect(store.write(key, utf8('x'))).rejects.toThrow('assertion failed');
        }
        expect(await store.list('')).toEqual([]);
      }),
    );
  });

  describe(`${name}: logs of the store`, () => {
    it(
      'appends in order, and reads all of it at the next opening',
      inStore(async (store) => {
        const log = await store.openLog('a/log', MAX);
        expect(log.initial).toEqual(new Uint8Array(0));
        const reused = utf8('1');
        const first = log.append(reused);
        reused[0] = 0x58;
        await Promise.all([first, log.append(utf8('2')), log.append(utf8('3'))]);
        await log.append(utf8('4'));
        expect(log.initial).toEqual(new Uint8Array(0));
        await log.close();
        const again = await store.openLog('a/log', MAX);
        expect(again.initial).toEqual(utf8('1234'));
        await again.append(utf8('5'));
        await again.close();
        const last = await store.openLog('a/log', MAX);
        expect(last.initial).toEqual(utf8('12345'));
        await last.close();
      }),
    );

    it(
      'replaces the whole log, and what is appended before and after keeps its place',
      inStore(async (store) => {
        const log = await store.openLog('log', MAX);
        await log.append(utf8('old'));
        await Promise.all([log.append(utf8('older')), log.replace(utf8('new')), log.append(utf8('+'))]);
        await log.append(utf8('!'));
        await log.close();
        const again = await store.openLog('log', MAX);
        expect(again.initial).toEqual(utf8('new+!'));
        await again.close();
      }),
    );

    it(
      'reads no more than it is told',
      inStore(async (store) => {
        const log = await store.openLog('log', MAX);
        await log.append(new Uint8Array(100).fill(1));
        await log.close();
        const again = await store.openLog('log', 10);
        expect(again.initial).toEqual(new Uint8Array(10).fill(1));
        await again.close();
      }),
    );
  });

  describe(`${name}: locks of the store`, () => {
    it(
      'gives a lock once until it is released',
      inStore(async (store) => {
        const lock = await store.lock('torrents/x');
        expect(lock).not.toBeNull();
        expect(await store.lock('torrents/x')).toBeNull();
        const other = await store.lock('torrents/y');
        expect(other).not.toBeNull();
        await lock!.release();
        const again = await store.lock('torrents/x');
        expect(again).not.toBeNull();
        await again!.release();
        await other!.release();
      }),
    );

    it(
      'gives exactly one of many that ask at once',
      inStore(async (store) => {
        const locks = await Promise.all(Array.from({ length: 10 }, () => store.lock('x')));
        const held = locks.filter((lock) => lock !== null);
        expect(held.length).toBe(1);
        await held[0]!.release();
      }),
    );

    it(
      'leaves a value of the same key alone',
      inStore(async (store) => {
        await store.write('x', utf8('value'));
        const lock = await store.lock('x');
        expect(await store.read('x')).toEqual(utf8('value'));
        await store.write('x', utf8('other'));
        await lock!.release();
        expect(await store.read('x')).toEqual(utf8('other'));
      }),
    );
  });
}
