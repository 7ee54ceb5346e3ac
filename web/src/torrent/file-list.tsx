// The files of a torrent: few as a plain list, many in a box that makes only the rows that are seen.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { FaultNote } from '../fault-note.tsx';
import { formatBytes, visible } from '../text.ts';
import type { TrackerApi } from '../tracker-api.ts';
import { FILES_PER_PAGE, type FileEntry, FilePages } from './file-pages.ts';
import { windowOf } from './window.ts';

/** As the style sheet has it. */
const ROW_PX = 32;
/** The API goes no further; and no browser makes a box much higher. */
const MAX_ROWS = 1_000_000;

interface FileListOptions {
  readonly api: TrackerApi;
  readonly hash: string;
  readonly count: number;
}

export function FileList({ api, hash, count }: FileListOptions): JSX.Element {
  const pages = useRef<FilePages | null>(null);
  pages.current ??= new FilePages(api, hash);
  const files = pages.current;
  const fault = files.fault.value;
  if (fault !== null)
    return (
      <FaultNote
        fault={fault}
        onRetry={() => {
          files.fault.value = null;
        }}
      />
    );
  return count <= FILES_PER_PAGE ? (
    <PlainList files={files} count={count} />
  ) : (
    <LongList files={files} count={Math.min(count, MAX_ROWS)} />
  );
}

interface ListOptions {
  readonly files: FilePages;
  readonly count: number;
}

function PlainList({ files, count }: ListOptions): JSX.Element {
  useEffect(() => files.want(0, count), []);
  void files.changed.value;
  return <ol class="files">{rows(files, 0, count)}</ol>;
}

function LongList({ files, count }: ListOptions): JSX.Element {
  const box = useRef<HTMLElement>(null);
  const shown = useSignal(windowOf(0, 600, ROW_PX, count));
  const look = (): void => {
    const { scrollTop, clientHeight } = box.current!;
    const next = windowOf(scrollTop, clientHeight, ROW_PX, count);
    files.want(next.first, next.end);
    if (next.first !== shown.value.first || next.end !== shown.value.end) shown.value = next;
  };
  useEffect(look, []);
  void files.changed.value;
  const { first, end } = shown.value;
  const style = { paddingTop: `${first * ROW_PX}px`, paddingBottom: `${(count - end) * ROW_PX}px` };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the keys
    <section class="long" ref={box} onScroll={look} tabIndex={0} aria-label="Files, scrolls">
      <ol class="files" style={style} start={first + 1}>
        {rows(files, first, end)}
      </ol>
    </section>
  );
}

function rows(files: FilePages, first: number, end: number): JSX.Element[] {
  return Array.from({ length: end - first }, (_, i) => <Row key={first + i} file={files.at(first + i)} />);
}

function Row({ file }: { file: FileEntry | null }): JSX.Element {
  if (file === null) return <li>…</li>;
  const path = visible(file.path);
  const nameAt = path.lastIndexOf('/') + 1;
  return (
    <li title={path}>
      <span class="path" dir="auto">
        <span class="folder">{path.slice(0, nameAt)}</span>
        {path.slice(nameAt)}
      </span>
      <span class="size">{formatBytes(file.length)}</span>
    </li>
  );
}
