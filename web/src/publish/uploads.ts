// Files on their way to the catalogue: one after the other, each with its state.

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { TorrentJson, TrackerApi } from '../tracker-api.ts';

export type UploadState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'sending'; readonly fraction: number }
  | { readonly kind: 'done'; readonly torrent: TorrentJson; readonly isNew: boolean }
  | { readonly kind: 'failed'; readonly message: string };

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly state: UploadState;
}

/** A file as a browser hands it over. */
export type NamedFile = Blob & { readonly name: string };

export class Uploads {
  readonly #api: Pick<TrackerApi, 'publish'>;
  readonly #list: Signal<readonly Upload[]> = signal([]);
  readonly #files = new Map<number, NamedFile>();
  #nextId = 0;
  #isSending = false;

  constructor(api: Pick<TrackerApi, 'publish'>) {
    this.#api = api;
  }

  /** The newest last. */
  get list(): ReadonlySignal<readonly Upload[]> {
    return this.#list;
  }

  add(files: Iterable<NamedFile>): void {
    for (const file of files) {
      const id = this.#nextId++;
      this.#files.set(id, file);
      this.#list.value = [...this.#list.value, { id, name: file.name, state: { kind: 'waiting' } }];
    }
    void this.#sendAll();
  }

  /** What failed goes once more: with another token, say. */
  retry(): void {
    for (const { id, state } of this.#list.value) if (state.kind === 'failed') this.#set(id, { kind: 'waiting' });
    void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (;;) {
      const next = this.#list.value.find(({ state }) => state.kind === 'waiting');
      if (next === undefined) break;
      await this.#send(next.id);
    }
    this.#isSending = false;
  }

  async #send(id: number): Promise<void> {
    this.#set(id, { kind: 'sending', fraction: 0 });
    try {
      const sent = (fraction: number): void => this.#set(id, { kind: 'sending', fraction });
      const { torrent, isNew } = await this.#api.publish(this.#files.get(id)!, sent);
      this.#files.delete(id);
      this.#set(id, { kind: 'done', torrent, isNew });
    } catch (error) {
      this.#set(id, { kind: 'failed', message: (error as Error).message });
    }
  }

  #set(id: number, state: UploadState): void {
    this.#list.value = this.#list.value.map((upload) => (upload.id === id ? { ...upload, state } : upload));
  }
}
