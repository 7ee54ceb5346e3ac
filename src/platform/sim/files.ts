// The Files port on a simulated disk.

import { fromLatin1 } from '../../base/bytes.ts';
import { ShoalError } from '../../base/errors.ts';
import type { FileInfo, Files, FolderEntry } from '../../ports/files.ts';
import type { SimClock } from './clock.ts';
import type { SimDisk } from './disk.ts';
import type { SimProgram } from './program.ts';
import { inTheWay, type Place, type TreeNode } from './tree.ts';

/**
 * Names are texts in the tree. A name that is no UTF-8 is written there with U+DC80 to U+DCFF for its bytes above 127
 * (as Python does), and only `entries` tells it, as bytes.
 */
function told(name: string): string | Uint8Array {
  if (!/[\udc80-\udcff]/.test(name) || /[\ud800-\udbff][\udc00-\udfff]/.test(name)) return name;
  return fromLatin1(Array.from(name, (letter) => String.fromCharCode(letter.charCodeAt(0) & 0xff)).join(''));
}

export class SimFiles implements Files {
  readonly caseSensitive = true;
  readonly #program: SimProgram;
  readonly #disk: SimDisk;
  readonly #clock: SimClock;

  constructor(program: SimProgram, disk: SimDisk, clock: SimClock) {
    this.#program = program;
    this.#disk = disk;
    this.#clock = clock;
  }

  info(path: string, options: { follow?: boolean } = {}): Promise<FileInfo | null> {
    return this.#read('looking at a file', () => {
      const node = this.#find(path, options.follow ?? true);
      return node && this.#infoOf(node);
    });
  }

  entries(path: string): Promise<readonly FolderEntry[]> {
    return this.#read('listing a folder', () => {
      const node = this.#find(path) ?? missing(path);
      if (node.kind !== 'folder') throw inTheWay(path);
      return Array.from(node.entries, ([name, entry]) => ({ name: told(name), kind: entry.kind }));
    });
  }

  readLink(path: string): Promise<string> {
    return this.#read('reading a link', () => {
      const node = this.#find(path, false) ?? missing(path);
      if (node.kind !== 'symlink') throw new ShoalError('IO', `"${path}" is no symbolic link`);
      return node.target;
    });
  }

  realPath(path: string): Promise<string> {
    return this.#read('finding a path', () => {
      const place = this.#disk.tree.find(path);
      return `/${place?.node ? place.real.join('/') : missing(path)}`;
    });
  }

  async read(path: string, maxBytes: number): Promise<Uint8Array> {
    const node = await this.#read('opening a file', () => {
      const found = this.#find(path) ?? missing(path);
      if (found.kind !== 'file') throw inTheWay(path);
      return found;
    });
    const bytes = node.content.lengthBytes;
    if (bytes > maxBytes) throw new ShoalError('FILE_TOO_LARGE', `"${path}" is longer than ${maxBytes} bytes`);
    return this.#disk.submit(this.#program, {
      action: 'read',
      what: 'reading a file',
      bytes,
      work: () => {
        const out = new Uint8Array(Math.min(maxBytes, node.content.lengthBytes));
        node.content.read(0, out);
        return out;
      },
    });
  }

  write(path: string, bytes: Uint8Array): Promise<void> {
    const copy = bytes.slice();
    const work = (): void => this.#replace(path, copy);
    return this.#disk.submit(this.#program, {
      action: 'write',
      what: 'writing a file',
      bytes: copy.length,
      isDurable: true,
      lane: path,
      work,
      tear: (random) => {
        if (random.below(2) === 0) work();
      },
    });
  }

  makeFolder(path: string): Promise<void> {
    return this.#write('making a folder', () => {
      this.#disk.tree.makeFolder(path, this.#clock.wallMs());
    });
  }

  remove(path: string): Promise<void> {
    return this.#write('removing a file', () => {
      const place = this.#placeOf(path, false);
      if (!place?.node) return;
      if (place.node.kind === 'folder' && (place.node.entries.size > 0 || place.folder === null)) throw inTheWay(path);
      place.folder!.entries.delete(place.name);
      if (place.node.kind === 'file') this.#disk.forgetFile(place.node);
    });
  }

  #replace(path: string, bytes: Uint8Array): void {
    const place = this.#disk.tree.find(path) ?? missing(path);
    if (place.node && place.node.kind !== 'file') throw inTheWay(path);
    const file = this.#disk.tree.newFile(this.#clock.wallMs());
    this.#disk.writeFile(file, 0, bytes, this.#clock.wallMs());
    file.content.sync();
    if (place.node) {
      file.executable = place.node.executable;
      this.#disk.forgetFile(place.node);
    }
    place.folder!.entries.set(place.name, file);
  }

  #infoOf(node: TreeNode): FileInfo {
    const isFile = node.kind === 'file';
    return {
      kind: node.kind,
      lengthBytes: isFile ? node.content.lengthBytes : 0,
      mtimeMs: node.mtimeMs,
      executable: isFile ? node.executable : node.kind === 'folder',
      identity: `${this.#program.host}:${node.inode}`,
    };
  }

  /** Null where nothing is there; a path through a file leads nowhere either. */
  #placeOf(path: string, follow: boolean): Place | null {
    try {
      return this.#disk.tree.find(path, follow);
    } catch (error) {
      if (error instanceof ShoalError && error.code === 'FILE_IN_THE_WAY') return null;
      throw error;
    }
  }

  #find(path: string, follow = true): TreeNode | null {
    return this.#placeOf(path, follow)?.node ?? null;
  }

  #read<T>(what: string, work: () => T): Promise<T> {
    return this.#disk.submit(this.#program, { action: 'read', what, bytes: 0, work });
  }

  #write(what: string, work: () => void): Promise<void> {
    return this.#disk.submit(this.#program, { action: 'write', what, bytes: 0, work });
  }
}

export function missing(path: string): never {
  throw new ShoalError('FILE_NOT_FOUND', `there is no "${path}"`);
}
