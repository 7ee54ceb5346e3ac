// The optional native modules: compiled by `npm run build:native` where that is possible, and done without elsewhere.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where they are put, seen from the bundled program and from this file's own folder. */
const FOLDERS = ['../../native/build/', '../../../native/build/'];

/** Null where it was not built, or SHOAL_NATIVE is 0. */
export function nativeFile(name: string): string | null {
  if (process.env.SHOAL_NATIVE === '0') return null;
  const file = `${name}-${process.platform}-${process.arch}.node`;
  const files = FOLDERS.map((folder) => fileURLToPath(new URL(`${folder}${file}`, import.meta.url)));
  return files.find((path) => existsSync(path)) ?? null;
}

/** Null where it is not there, cannot be loaded, or has another version: that of its calls and of the memory it shares. */
export function loadNative<Module extends { readonly version: number }>(name: string, version: number): Module | null {
  const file = nativeFile(name);
  if (file === null) return null;
  try {
    const module = createRequire(import.meta.url)(file) as Module;
    return module.version === version ? module : null;
  } catch {
    return null;
  }
}
