// The ways to get a torrent: its magnet link, to follow or to copy, and its file.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { passkey, token } from '../access/keys.ts';
import { visible } from '../text.ts';
import type { TorrentJson, TrackerApi } from '../tracker-api.ts';

export function GetTorrent({ api, torrent }: { api: TrackerApi; torrent: TorrentJson }): JSX.Element {
  const said = useSignal('');
  const { infoHash, name, magnet } = torrent;
  const say = (done: Promise<unknown>, words: string): void => {
    done.then(
      () => {
        said.value = words;
      },
      (error: Error) => {
        said.value = visible(error.message);
      },
    );
  };
  const download = (event: Event): void => {
    // A link cannot send a token; without one it works by itself.
    if (token.value === '' || passkey.value !== '') return;
    event.preventDefault();
    say(saveFile(api.torrentFile(infoHash), `${name}.torrent`), '');
  };
  return (
    <div class="row actions">
      {magnet.startsWith('magnet:') && (
        <>
          <a class="button" href={magnet}>
            Magnet link
          </a>
          <button type="button" onClick={() => say(copy(magnet), 'Copied.')}>
            Copy magnet link
          </button>
        </>
      )}
      <a class="button" href={api.url(`api/torrents/${infoHash}/torrent`)} onClick={download}>
        Download .torrent
      </a>
      <span role="status">{said.value}</span>
    </div>
  );
}

async function saveFile(file: Promise<Blob>, name: string): Promise<void> {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Browsers lend the clipboard to pages of HTTPS and of this machine; elsewhere a selection is copied. */
async function copy(text: string): Promise<void> {
  if (isSecureContext) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'hidden';
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (!isCopied) throw new Error('this browser does not let the page copy: copy the link itself');
}
