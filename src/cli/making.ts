// From PATH and the options of `create` to a torrent file on disk: shared by create and share.

import { basename, dirname, join, resolve } from 'node:path';
import { isShoalError, ShoalError } from '../base/errors.ts';
import { type Created, createMtorrent, createTorrent } from '../create/create.ts';
import { UsageError } from './args.ts';
import { pathMatcher } from './globs.ts';
import type { CreateOptions } from './options.ts';
import { note, printBytes } from './output.ts';
import { startProgress, type TaskState, taskProgress } from './progress.ts';
import { printable } from './render/printable.ts';
import { count } from './render/quantities.ts';
import { mustBeTorrentFile } from './source.ts';
import { packageVersion } from './version.ts';
import type { ContentWorld } from './world.ts';

/** What a torrent file at most is read for, to know that it is one. */
const MAX_OLD_FILE_BYTES = 128 * 1024 * 1024;

/** Options that only one format has are wrong usage in the other: nothing that was asked for is dropped in silence. */
export function checkFormat(options: CreateOptions, trackers: readonly (readonly string[])[]): void {
  if (options.format === 'torrent') return;
  const { meta, pieceLength, webSeed, comment, source, exclude } = options;
  const given: readonly (readonly [boolean, string])[] = [
    [meta !== 'v1', `--meta ${meta}`],
    [pieceLength !== undefined && pieceLength !== 512 * 1024, '--piece-length (it is always 512 KiB)'],
    [webSeed.length > 0, '--web-seed'],
    [options.private === true, '--private'],
    [comment !== undefined, '--comment'],
    [source !== undefined, '--source'],
    [exclude.length > 0, '--exclude'],
  ];
  const wrong = given.find(([isGiven]) => isGiven);
  if (wrong) throw new UsageError(`an .mtorrent has no room for ${wrong[1]}; leave it out or use --format torrent`);
  const urls = trackers.flat().length;
  if (urls < 1 || urls > 2)
    throw new UsageError(`an .mtorrent names one or two trackers, not ${urls}; use --tracker URL`);
}

/** Hashes the content and makes the file's bytes. Shows progress. */
export async function make(
  env: ContentWorld,
  path: string,
  options: CreateOptions,
  trackers: readonly (readonly string[])[],
  signal: AbortSignal,
): Promise<Created> {
  const task: TaskState = { name: basename(resolve(path)), state: 'looking', done: 0, total: 0 };
  const progress = await startProgress(() => [taskProgress(task)]);
  const common = {
    path,
    signal,
    ...(options.name === undefined ? {} : { name: options.name }),
    onProgress(done: number, total: number, state: string): void {
      Object.assign(task, { done, total, state });
    },
  };
  try {
    const created =
      options.format === 'mtorrent'
        ? await createMtorrent(env, { ...common, trackers: trackers.flat() })
        : await createTorrent(env, { ...common, ...torrentOptions(options, trackers) });
    progress.stop();
    warn(created);
    return created;
  } finally {
    progress.stop();
  }
}

function torrentOptions(options: CreateOptions, trackers: readonly (readonly string[])[]) {
  const { pieceLength, exclude, comment, source } = options;
  return {
    meta: options.meta,
    symlinks: options.symlinks,
    trackers,
    webSeeds: options.webSeed,
    private: options.private ?? false,
    createdBy: `Shoal ${packageVersion()}`,
    ...(pieceLength === undefined ? {} : { pieceLengthBytes: pieceLength }),
    ...(exclude.length === 0 ? {} : { exclude: pathMatcher(exclude) }),
    ...(comment === undefined ? {} : { comment }),
    ...(source === undefined ? {} : { source }),
    ...(options.date ? {} : { creationDate: null }),
  };
}

/** Names said one by one; a folder full of odd names must not fill the screen. */
const MAX_NAMES_SAID = 5;

function warn(created: Created): void {
  const say = (paths: readonly string[], what: string): void => {
    for (const path of paths.slice(0, MAX_NAMES_SAID)) note(`"${path}" ${what}`);
    if (paths.length > MAX_NAMES_SAID) note(`and ${count(paths.length - MAX_NAMES_SAID, 'more path')} ${what}`);
  };
  say(created.ignored, 'is left out: no torrent can hold it');
  say(created.altered, 'will have another name where it is fetched: not every system can hold this one');
}

/** Where a torrent file shall go: a path, or null for stdout. Known to be possible before hours of hashing begin. */
export async function outputPath(env: ContentWorld, content: string, options: CreateOptions): Promise<string | null> {
  const { output, format } = options;
  if (output === '-') return null;
  const name = `${printable(options.name ?? basename(resolve(content)))}.${format}`;
  let path = resolve(output ?? name);
  const found = await env.files.info(path);
  if (found?.kind === 'folder') path = join(path, name);
  const folder = await env.files.info(dirname(path));
  if (folder?.kind !== 'folder') {
    throw new ShoalError(
      'FILE_NOT_FOUND',
      `there is no folder "${dirname(path)}" to write the torrent file to; make it first`,
    );
  }
  await refuseToHarm(env, path, resolve(content));
  return path;
}

/** An older torrent file is replaced; anything else that is there is a person's, and stays. */
async function refuseToHarm(env: ContentWorld, path: string, content: string): Promise<void> {
  const found = await env.files.info(path);
  if (found === null) return;
  const inTheWay = (why: string): ShoalError =>
    new ShoalError('FILE_IN_THE_WAY', `"${path}" ${why}; choose another name with -o`);
  if (found.kind !== 'file') throw inTheWay('is no file');
  const isContent = found.identity === (await env.files.info(content))?.identity;
  if (isContent || path.startsWith(`${content}/`)) throw inTheWay('is part of the content');
  try {
    mustBeTorrentFile(await env.files.read(path, MAX_OLD_FILE_BYTES), path);
  } catch (error) {
    if (isShoalError(error, 'PERMISSION')) throw error;
    throw inTheWay('is there already and is no torrent file');
  }
}

/** In one step: afterwards the file is all there, or as it was. */
export async function writeOut(env: ContentWorld, path: string | null, bytes: Uint8Array): Promise<void> {
  if (path === null) await printBytes(bytes);
  else await env.files.write(path, bytes);
}
