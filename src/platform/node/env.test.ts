import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNodeEnv } from './env.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-env-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the real world', () => {
  it('costs nothing until it is used', async () => {
    const env = createNodeEnv({ stateFolder: join(folder, 'state') });
    env.pieceIo.open({ root: join(folder, 'root'), files: [], writable: true, preallocate: false });
    expect(env.pieceIo.parallel).toBeGreaterThan(0);
    await env.close();
    await env.close();
    expect(existsSync(join(folder, 'state'))).toBe(false);
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });

  it('holds the program up for work on pieces, and no longer', async () => {
    const content = join(folder, 'content');
    await writeFile(content, new Uint8Array(1000));
    const built = new URL('../../../dist/platform/node/env.js', import.meta.url).href;
    const script = `
      const { createNodeEnv } = await import(${JSON.stringify(built)});
      const env = createNodeEnv({ stateFolder: ${JSON.stringify(join(folder, 'state'))} });
      env.clock.after(1e9, () => console.log('never'));
      const files = [{ path: [], lengthBytes: 1000, executable: false }];
      const content = env.pieceIo.open({ root: ${JSON.stringify(content)}, files, writable: false, preallocate: false });
      const job = { spans: Float64Array.of(0, 0, 0, 1000), lengthBytes: 1000, sha1: true, treeBytes: 0, leafCount: 0 };
      void content.hash([{ ...job, wantLeaves: false }]).then(([outcome]) => console.log(outcome.present));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('true\n');
  });
});
