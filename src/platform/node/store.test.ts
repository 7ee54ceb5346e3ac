import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { canMount, mountSmallDisk } from '../../../test/contract/small-disk.ts';
import { utf8 } from '../../base/bytes.ts';
import { createFileStore } from './store.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-store-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the store in files', () => {
  it('makes its folder at the first write only', async () => {
    const root = join(folder, 'deep', 'state');
    const store = createFileStore(root);
    expect(await store.read('a')).toBeNull();
    expect(await store.list('')).toEqual([]);
    await store.remove('a');
    expect(existsSync(join(folder, 'deep'))).toBe(false);
    await store.write('a', utf8('x'));
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('x');
  });

  it('leaves no temporary file, also when a write fails', async () => {
    const store = createFileStore(folder);
    await store.write('k/inside', utf8('x'));
    await expect(store.write('k', utf8('x'))).rejects.toMatchObject({ name: 'ShoalError' });
    await store.write('v', utf8('x'));
    expect(readdirSync(folder).sort()).toEqual(['k', 'v']);
  });

  it('gives a torn end of a log as it is, for its user to find', async () => {
    const store = createFileStore(folder);
    const log = await store.openLog('log', 100);
    await log.append(utf8('whole'));
    await log.close();
    appendFileSync(join(folder, 'log'), 'to');
    const again = await store.openLog('log', 100);
    expect(again.initial).toEqual(utf8('wholeto'));
    await again.close();
  });

  it('appends to the file that replaced the log, not to the old one', async () => {
    const store = createFileStore(folder);
    const log = await store.openLog('log', 100);
    await log.append(utf8('old'));
    const before = statSync(join(folder, 'log')).ino;
    await log.replace(utf8('new'));
    await log.append(utf8('+'));
    expect(statSync(join(folder, 'log')).ino).not.toBe(before);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('new+');
    await log.close();
    await log.close();
  });

  it('says what is in the way of its folder', async () => {
    writeFileSync(join(folder, 'file'), '');
    const store = createFileStore(join(folder, 'file', 'state'));
    expect(await store.read('a')).toBeNull();
    await expect(store.write('a', utf8('x'))).rejects.toMatchObject({ code: 'FILE_IN_THE_WAY' });
    await expect(store.lock('a')).rejects.toMatchObject({ code: 'FILE_IN_THE_WAY' });
  });

  it.skipIf(!canMount)('loses nothing on a full or read-only disk (needs root)', async ({ skip }) => {
    const place = join(folder, 'disk');
    const disk = mountSmallDisk(place, 64 * 1024);
    if (disk === null) return skip('this machine does not let us mount');
    try {
      const store = createFileStore(place);
      await store.write('value', utf8('old'));
      const log = await store.openLog('log', 1 << 20);
      await log.append(utf8('first'));
      const large = new Uint8Array(100_000);
      await expect(log.append(large)).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(log.replace(large)).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(store.write('value', large)).rejects.toMatchObject({ code: 'DISK_FULL' });
      await log.append(utf8(' second'));
      await log.close();
      expect(readFileSync(join(place, 'log'), 'utf8')).toBe('first second');
      expect(await store.read('value')).toEqual(utf8('old'));
      expect(await store.list('')).toEqual(['log', 'value']);
      disk.makeReadOnly();
      await expect(store.write('value', utf8('new'))).rejects.toMatchObject({ code: 'READ_ONLY' });
      await expect(store.lock('value')).rejects.toMatchObject({ code: 'READ_ONLY' });
      await expect(store.write('new/folder', utf8('new'))).rejects.toMatchObject({ code: 'READ_ONLY' });
    } finally {
      disk.unmount();
    }
  });
});
