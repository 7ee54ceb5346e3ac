// One torrent: what it is, who has it now, how to get it, and for who published it, how to take it away.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { token } from '../access/keys.ts';
import { FaultNote } from '../fault-note.tsx';
import { Poll } from '../poll.ts';
import { countOf, formatBytes, formatCount, formatDate, formatPieceLength, visible } from '../text.ts';
import { Title } from '../title.tsx';
import { ApiFault, type FaultCode, type TorrentJson, type TrackerApi } from '../tracker-api.ts';
import { FileList } from './file-list.tsx';
import { GetTorrent } from './get-torrent.tsx';
import { RemoveTorrent } from './remove-torrent.tsx';

/** Counts change with announces, which are half an hour apart; who looks on wants to see a peer that comes. */
const EVERY_MS = 5000;
const FINAL: ReadonlySet<FaultCode> = new Set(['TOKEN_REFUSED', 'TOO_MANY_REQUESTS', 'TORRENT_UNKNOWN']);

export function TorrentPage({ api, hash }: { api: TrackerApi; hash: string }): JSX.Element {
  const poll = useMemo(() => new Poll(() => api.torrent(hash), EVERY_MS, mayPass), []);
  const isGone = useSignal(false);
  useEffect(() => (isGone.value ? undefined : poll.start()), [isGone.value]);
  const torrent = poll.answer.value?.value ?? null;
  const fault = poll.fault.value;
  if (isGone.value) {
    return (
      <>
        <Title text="Removed" />
        <p role="status">The torrent is gone from the catalogue.</p>
      </>
    );
  }
  return (
    <>
      <Title text={torrent === null ? 'Torrent' : visible(torrent.name)} />
      {fault !== null && <FaultNote fault={fault} onRetry={() => poll.again()} />}
      {torrent !== null && (
        <>
          <Facts torrent={torrent} />
          <GetTorrent api={api} torrent={torrent} />
          <h2>{countOf(torrent.fileCount, 'file')}</h2>
          <FileList key={`${token.value === ''}`} api={api} hash={hash} count={torrent.fileCount} />
          <RemoveTorrent
            api={api}
            hash={hash}
            onRemoved={() => {
              isGone.value = true;
            }}
          />
        </>
      )}
    </>
  );
}

/** A key that was refused is not sent again by itself: who does that is not listened to for a while. */
function mayPass(fault: Error): boolean {
  return !(fault instanceof ApiFault && FINAL.has(fault.code));
}

function Facts({ torrent }: { torrent: TorrentJson }): JSX.Element {
  const { comment, createdAt, infoHashV1, infoHashV2 } = torrent;
  return (
    <>
      <dl class="cards">
        <Card name="Seeds" value={formatCount(torrent.seeds)} />
        <Card name="Leeches" value={formatCount(torrent.leeches)} />
        <Card name="Size" value={formatBytes(torrent.length)} />
      </dl>
      <dl class="facts-list">
        {comment !== '' && <Fact name="Comment" value={visible(comment)} />}
        <Fact name="Published" value={`${formatDate(torrent.publishedAt)} by ${visible(torrent.publisher)}`} />
        {createdAt !== null && <Fact name="Made" value={formatDate(createdAt)} />}
        <Fact name="Pieces" value={`of ${formatPieceLength(torrent.pieceLength)}`} />
        {torrent.private && <Fact name="Private" value="peers come from this tracker only" />}
        {infoHashV1 !== null && <Fact name="Info hash" value={infoHashV1} />}
        {infoHashV2 !== null && <Fact name="Info hash, version 2" value={infoHashV2} />}
      </dl>
    </>
  );
}

function Card({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd dir="auto">{value}</dd>
    </div>
  );
}
