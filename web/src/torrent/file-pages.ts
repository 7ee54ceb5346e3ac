// The files of a torrent as far as they were looked at, asked for a page at a time.

import { type Signal, signal } from '@preact/signals';
import type { FilesJson, TrackerApi } from '../tracker-api.ts';

export type FileEntry = FilesJson['files'][number];

export const FILES_PER_PAGE = 500;
/** Pages kept: who goes through a million files keeps no more than these. */
const MAX_PAGES = 20;

export class FilePages {
  /** Counts up when there is more to show. */
  readonly changed: Signal<number> = signal(0);
  readonly fault: Signal<Error | null> = signal(null);
  readonly #api: Pick<TrackerApi, 'files'>;
  readonly #hash: string;
  /** In the order in which they came; empty: on its way. */
  readonly #pages = new Map<number, readonly FileEntry[]>();

  constructor(api: Pick<TrackerApi, 'files'>, hash: string) {
    this.#api = api;
    this.#hash = hash;
  }

  /** Null: not there yet. */
  at(index: number): FileEntry | null {
    return this.#pages.get(Math.floor(index / FILES_PER_PAGE))?.[index % FILES_PER_PAGE] ?? null;
  }

  /** Fetches what is missing of the rows `first` to `end`. */
  want(first: number, end: number): void {
    for (let page = Math.floor(first / FILES_PER_PAGE); page * FILES_PER_PAGE < end; page++) {
      if (!this.#pages.has(page)) void this.#fetch(page);
    }
  }

  async #fetch(page: number): Promise<void> {
    this.#pages.set(page, []);
    try {
      const { files } = await this.#api.files(this.#hash, page * FILES_PER_PAGE, FILES_PER_PAGE);
      this.#pages.set(page, files);
      this.fault.value = null;
      if (this.#pages.size > MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    } catch (error) {
      this.#pages.delete(page);
      this.fault.value = error as Error;
    }
    this.changed.value++;
  }
}
