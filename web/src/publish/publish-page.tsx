// Publishing: torrent files are dropped or chosen, and sent with the token.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { KeysForm } from '../access/keys-form.tsx';
import { href } from '../router.ts';
import { visible } from '../text.ts';
import { Title } from '../title.tsx';
import type { TrackerApi } from '../tracker-api.ts';
import { type Upload, Uploads } from './uploads.ts';

export function PublishPage({ api }: { api: TrackerApi }): JSX.Element {
  const uploads = useMemo(() => new Uploads(api), []);
  const isOver = useSignal(false);
  const over = (event: Event): void => {
    event.preventDefault();
    isOver.value = true;
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    isOver.value = false;
    uploads.add(event.dataTransfer?.files ?? []);
  };
  const list = uploads.list.value;
  const done = list.filter(({ state }) => state.kind === 'done').length;
  const failed = list.filter(({ state }) => state.kind === 'failed').length;
  return (
    <>
      <Title text="Publish" />
      <p>
        A torrent that is published here can be found by everybody who may search. It needs a token of this tracker.
      </p>
      <form onSubmit={(event) => event.preventDefault()}>
        <KeysForm />
      </form>
      <label
        class={`drop ${isOver.value ? 'over' : ''}`}
        onDragOver={over}
        onDragLeave={() => {
          isOver.value = false;
        }}
        onDrop={drop}
      >
        Drop .torrent or .mtorrent files here, or choose them
        <input
          type="file"
          multiple
          accept=".torrent,.mtorrent"
          onChange={(event) => {
            uploads.add(event.currentTarget.files ?? []);
            event.currentTarget.value = '';
          }}
        />
      </label>
      {list.length > 0 && (
        <>
          <ul class="hits">
            {list.map((upload) => (
              <UploadRow key={upload.id} upload={upload} />
            ))}
          </ul>
          <div class="row">
            <p role="status">{`${done} of ${list.length} published${failed > 0 ? `, ${failed} failed` : ''}`}</p>
            {failed > 0 && (
              <button type="button" onClick={() => uploads.retry()}>
                Try what failed again
              </button>
            )}
          </div>
        </>
      )}
    </>
  );
}

function UploadRow({ upload: { name, state } }: { upload: Upload }): JSX.Element {
  return (
    <li>
      {state.kind === 'done' ? (
        <a class="name" href={href(`torrent/${state.torrent.infoHash}`)} data-view dir="auto">
          {visible(state.torrent.name)}
        </a>
      ) : (
        <span class="name" dir="auto">
          {visible(name)}
        </span>
      )}
      {state.kind === 'waiting' && <p>waits</p>}
      {state.kind === 'sending' && <progress value={state.fraction} aria-label={`Sending ${visible(name)}`} />}
      {state.kind === 'done' && <p>{state.isNew ? 'published' : 'was published before'}</p>}
      {state.kind === 'failed' && <p class="bad">{visible(state.message)}</p>}
    </li>
  );
}
