// Records that survive: small values by key, append-only logs, and locks between processes.

export interface StoreLog {
  /** Whole log as it was read at opening, owned by the caller; what was appended since is not in it. */
  readonly initial: Uint8Array;
  /** Adds bytes at the end; resolves when they are on stable storage. Calls are carried out in order. */
  append(bytes: Uint8Array): Promise<void>;
  /** Puts `bytes` in the place of the whole log in one step, on stable storage. */
  replace(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface StoreLock {
  release(): Promise<void>;
}

/** Keys are `/`-separated words of `[a-z0-9._-]`. Errors: DISK_FULL, READ_ONLY, PERMISSION, IO. */
export interface Store {
  /** Null where there is none. */
  read(key: string): Promise<Uint8Array | null>;
  /** In one step, and on stable storage when it resolves: a crash leaves the old value or the new one. */
  write(key: string, value: Uint8Array): Promise<void>;
  /** Also removes a log. Silent where there is none. */
  remove(key: string): Promise<void>;
  /** Keys of values and logs that begin with `prefix`, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /**
   * Opens a log; at most `maxBytes` are read. One that is not there comes to be when it is first written to. A torn end
   * after a crash is the user's to find.
   */
  openLog(key: string, maxBytes: number): Promise<StoreLog>;
  /** Null while another process (or this one) holds it. Freed by the system when its process dies. */
  lock(key: string): Promise<StoreLock | null>;
}
