// What a test does to a simulated disk from outside: no program, no time, no faults.

import type { SimDisk } from './disk.ts';
import { missing } from './files.ts';
import type { FileNode } from './tree.ts';

export class DiskHands {
  readonly #disk: SimDisk;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  /** Makes or replaces a file, and the folders above it; all is on stable storage. */
  write(path: string, bytes: Uint8Array, mtimeMs = 0): void {
    const at = path.lastIndexOf('/');
    const folder = this.#disk.tree.makeFolder(path.slice(0, Math.max(0, at)), mtimeMs);
    const file = this.#disk.tree.newFile(mtimeMs);
    this.#disk.writeFile(file, 0, bytes, mtimeMs);
    file.content.sync();
    const old = folder.entries.get(path.slice(at + 1));
    if (old?.kind === 'file') this.#disk.forgetFile(old);
    folder.entries.set(path.slice(at + 1), file);
  }

  link(path: string, target: string): void {
    const at = path.lastIndexOf('/');
    const folder = this.#disk.tree.makeFolder(path.slice(0, Math.max(0, at)), 0);
    folder.entries.set(path.slice(at + 1), this.#disk.tree.newLink(target, 0));
  }

  /** Changes bytes behind the program's back. The file must be there. */
  damage(path: string, offset: number, bytes: Uint8Array): void {
    this.#file(path).content.write(offset, bytes);
  }

  read(path: string): Uint8Array | null {
    const node = this.#disk.tree.find(path)?.node;
    if (node?.kind !== 'file') return null;
    const out = new Uint8Array(node.content.lengthBytes);
    node.content.read(0, out);
    return out;
  }

  #file(path: string): FileNode {
    const node = this.#disk.tree.find(path)?.node;
    if (node?.kind !== 'file') return missing(path);
    return node;
  }
}
