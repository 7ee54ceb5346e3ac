import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeClock } from '../platform/node/clock.ts';
import { createNodeSockets } from '../platform/node/net/sockets.ts';
import { resolveListen, usableFolder, usableStateFolder } from './world.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-world-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the folder for content', () => {
  it('is one that is there or that can be made', async () => {
    expect(await usableFolder(folder)).toBe(folder);
    expect(await usableFolder(join(folder, 'new', 'deep'))).toBe(join(folder, 'new', 'deep'));
  });

  it('is no file, and lies in none', async () => {
    for (const path of [join(folder, 'file'), join(folder, 'file', 'x', 'y')]) {
      await expect(usableFolder(path)).rejects.toMatchObject({
        code: 'FILE_IN_THE_WAY',
        message: `"${join(folder, 'file')}" is no folder: choose another one with -o`,
      });
    }
  });
});

describe('the state folder', () => {
  it('is one that is there or not yet, no file, and lies in none', () => {
    expect(usableStateFolder(folder)).toBe(folder);
    expect(usableStateFolder(join(folder, 'new'))).toBe(join(folder, 'new'));
    for (const path of [join(folder, 'file'), join(folder, 'file', 'x')]) {
      expect(() => usableStateFolder(path)).toThrow(`"${path}" is no folder: name another one with --state`);
    }
  });
});

describe('an address to listen on', () => {
  it('that this machine lacks is told before any port is chosen', async () => {
    const sockets = createNodeSockets(createNodeClock());
    expect(await resolveListen(sockets, { host: '127.0.0.1', port: null })).toEqual({
      ip: Uint8Array.of(127, 0, 0, 1),
      port: null,
    });
    await expect(resolveListen(sockets, { host: '192.0.2.99', port: null })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining('this machine does not have that address'),
    });
  });
});
