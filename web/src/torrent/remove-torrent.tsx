// Taking a torrent out of the catalogue: with the token that it was published with, or an admin's.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { KeysForm } from '../access/keys-form.tsx';
import { visible } from '../text.ts';
import type { TrackerApi } from '../tracker-api.ts';

interface RemoveTorrentOptions {
  readonly api: TrackerApi;
  readonly hash: string;
  readonly onRemoved: () => void;
}

export function RemoveTorrent({ api, hash, onRemoved }: RemoveTorrentOptions): JSX.Element {
  const fault = useSignal('');
  const remove = (event: Event): void => {
    event.preventDefault();
    fault.value = '';
    api.remove(hash).then(onRemoved, (error: Error) => {
      fault.value = visible(error.message);
    });
  };
  return (
    <details class="panel">
      <summary>Remove from the catalogue</summary>
      <form class="fields" onSubmit={remove}>
        <KeysForm />
        <button type="submit" class="danger">
          Remove for good
        </button>
        {fault.value !== '' && <p role="alert">{fault.value}</p>}
      </form>
    </details>
  );
}
