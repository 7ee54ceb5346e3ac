// What every Files does, in the real world and in the simulated one.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import type { Files } from '../../src/ports/files.ts';
import { type ContractHost, inWorld, type MakeWorld } from './world.ts';

export function filesContract(name: string, makeWorld: MakeWorld): void {
  const inFolder = (body: (files: Files, folder: string, host: ContractHost) => Promise<void>) => () =>
    inWorld(makeWorld, ({ a }) => body(a.env.files, a.folder, a));

  describe(`${name}: files`, () => {
    it(
      'reads what was written, and replaces a file as a whole',
      inFolder(async (files, folder) => {
        await files.write(`${folder}/a`, utf8('a longer text'));
        await files.write(`${folder}/a`, utf8('short'));
        expect(await files.read(`${folder}/a`, 5)).toEqual(utf8('short'));
        await files.write(`${folder}/a`, new Uint8Array(0));
        expect(await files.read(`${folder}/a`, 0)).toEqual(new Uint8Array(0));
        expect((await files.entries(folder)).map(({ name }) => name)).toEqual(['a']);
      }),
    );

    it(
      'refuses a file above the limit',
      inFolder(async (files, folder) => {
        await files.write(`${folder}/a`, utf8('12345'));
        await fails(files.read(`${folder}/a`, 4), 'FILE_TOO_LARGE');
      }),
    );

    it(
      'says that a file or folder is not there',
      inFolder(async (files, folder) => {
        await fails(files.read(`${folder}/a`, 4), 'FILE_NOT_FOUND');
        await fails(files.entries(`${folder}/a`), 'FILE_NOT_FOUND');
        await fails(files.realPath(`${folder}/a`), 'FILE_NOT_FOUND');
        await fails(files.write(`${folder}/a/b`, utf8('x')), 'FILE_NOT_FOUND');
        expect(await files.info(`${folder}/a`)).toBeNull();
        await files.remove(`${folder}/a`);
      }),
    );

    it(
      'tells kind, length and identity',
      inFolder(async (files, folder) => {
        await files.write(`${folder}/a`, utf8('12345'));
        await files.write(`${folder}/b`, utf8('1'));
        const [a, again, b] = [
          await files.info(`${folder}/a`),
          await files.info(`${folder}/a`),
          await files.info(`${folder}/b`),
        ];
        expect(a).toMatchObject({ kind: 'file', lengthBytes: 5, executable: false });
        expect(a!.identity).toBe(again!.identity);
        expect(a!.identity).not.toBe(b!.identity);
        expect(await files.info(folder)).toMatchObject({ kind: 'folder' });
        await files.makeFolder(`${folder}/c`);
        const kinds = (await files.entries(folder)).map(({ name, kind }) => `${String(name)} ${kind}`);
        expect(kinds.sort()).toEqual(['a file', 'b file', 'c folder']);
        expect(await files.info(`${folder}/a/below`)).toBeNull();
      }),
    );

    it(
      'makes folders above, tells names in any script, and removes',
      inFolder(async (files, folder) => {
        await files.makeFolder(`${folder}/one/two/three`);
        await files.makeFolder(`${folder}/one/two/three`);
        for (const word of ['grün', '鯨', '.hidden']) await files.write(`${folder}/one/${word}`, utf8(word));
        const names = (await files.entries(`${folder}/one`)).map(({ name }) => String(name));
        expect(names.sort()).toEqual(['.hidden', 'grün', 'two', '鯨'].sort());
        await files.remove(`${folder}/one/two/three`);
        await files.remove(`${folder}/one/鯨`);
        expect(await files.info(`${folder}/one/two/three`)).toBeNull();
        expect(await files.info(`${folder}/one/鯨`)).toBeNull();
        await expect(files.remove(`${folder}/one`)).rejects.toMatchObject({ name: 'ShoalError' });
        expect(await files.info(`${folder}/one/grün`)).not.toBeNull();
      }),
    );

    it(
      'looks at a link or at what it points to',
      inFolder(async (files, folder, { env }) => {
        await files.makeFolder(`${folder}/root/real`);
        await files.write(`${folder}/root/real/a`, utf8('12345'));
        const content = env.pieceIo.open({ root: `${folder}/root`, files: [], writable: true, preallocate: false });
        await content.finish([{ path: ['link'], target: ['real', 'a'] }]);
        await content.close();
        expect(await files.info(`${folder}/root/link`)).toMatchObject({ kind: 'file', lengthBytes: 5 });
        expect(await files.info(`${folder}/root/link`, { follow: false })).toMatchObject({ kind: 'symlink' });
        expect(await files.readLink(`${folder}/root/link`)).toBe('real/a');
        expect(await files.realPath(`${folder}/root/link`)).toBe(await files.realPath(`${folder}/root/real/a`));
        await files.remove(`${folder}/root/link`);
        expect(await files.info(`${folder}/root/real/a`)).not.toBeNull();
      }),
    );
  });
}

async function fails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await expect(work).rejects.toMatchObject({ name: 'ShoalError', code });
}
