import { expect, it } from 'vitest';
import { FakeApi } from '../../test/fake-api.ts';
import { ApiFault } from '../tracker-api.ts';
import { type NamedFile, type UploadState, Uploads } from './uploads.ts';

const file = (name: string, text = 'd'): NamedFile => Object.assign(new Blob([text]), { name });

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

it('files go one after the other, and one that fails holds up no other', async () => {
  const api = new FakeApi();
  const uploads = new Uploads(api);
  const seen: UploadState['kind'][][] = [];
  const end = uploads.list.subscribe((list) => seen.push(list.map(({ state }) => state.kind)));
  uploads.add([file('a'), file('b', ''), file('c')]);
  await settled();
  end();
  expect(uploads.list.value.map(({ name, state }) => [name, state.kind])).toEqual([
    ['a', 'done'],
    ['b', 'failed'],
    ['c', 'done'],
  ]);
  expect(uploads.list.value[1]!.state).toEqual({ kind: 'failed', message: 'the file is empty' });
  expect(seen.every((kinds) => kinds.filter((kind) => kind === 'sending').length <= 1)).toBe(true);
});

it('what failed goes again when it is told to', async () => {
  const api = new FakeApi();
  const uploads = new Uploads(api);
  api.fault = new ApiFault('TOKEN_REFUSED', 'this token is unknown');
  uploads.add([file('a')]);
  await settled();
  expect(uploads.list.value[0]!.state.kind).toBe('failed');
  api.fault = null;
  uploads.retry();
  await settled();
  expect(uploads.list.value[0]!.state.kind).toBe('done');
});
