// Files by path, for everything but the content of running torrents: walking folders, reading torrent files.

export type FileKind = 'file' | 'folder' | 'symlink' | 'other';

export interface FileInfo {
  readonly kind: FileKind;
  readonly lengthBytes: number;
  /** Modification time; may have a fraction. */
  readonly mtimeMs: number;
  readonly executable: boolean;
  /** Identifies the file on this machine (device and inode), to find loops and hard links. */
  readonly identity: string;
}

/** What is in a folder; of a symlink, the link itself. Systems tell no more of it than this without a look at each. */
export interface FolderEntry {
  /** As text where it is UTF-8, else its raw bytes. */
  readonly name: string | Uint8Array;
  readonly kind: FileKind;
}

/** Paths are absolute or relative to the working directory, with `/` (or the system's separator). */
export interface Files {
  /** Whether names that differ in case alone are different files here. */
  readonly caseSensitive: boolean;
  /** Null where nothing is there. `follow` (default true): look at what a symlink points to. */
  info(path: string, options?: { follow?: boolean }): Promise<FileInfo | null>;
  /** All that is in a folder, in no order. FILE_NOT_FOUND, PERMISSION, IO. */
  entries(path: string): Promise<readonly FolderEntry[]>;
  /** The target text of a symlink. */
  readLink(path: string): Promise<string>;
  /** The absolute path with all symlinks resolved. FILE_NOT_FOUND. */
  realPath(path: string): Promise<string>;
  /** A whole small file. FILE_NOT_FOUND; FILE_TOO_LARGE above `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array>;
  /** Replaces or makes a file in one step and syncs it: afterwards it is all there or as it was. DISK_FULL, READ_ONLY. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes a folder and those above it. */
  makeFolder(path: string): Promise<void>;
  /** Removes a file or an empty folder; silent where nothing is there. */
  remove(path: string): Promise<void>;
}
