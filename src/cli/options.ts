// Groups of options that several commands share, and the values they give.

import { type Command, Option } from 'commander';
import {
  checkWebSeedUrl,
  type HostPort,
  type ListenText,
  parseHostPort,
  parseListen,
  parseRate,
  parseSeconds,
  parseSize,
  UsageError,
} from './args.ts';

export interface JsonOption {
  readonly json?: boolean;
}

export interface CreateOptions extends JsonOption {
  readonly output?: string;
  readonly format: 'torrent' | 'mtorrent';
  readonly meta: 'v1' | 'v2' | 'hybrid';
  readonly pieceLength?: number;
  readonly tracker: readonly string[];
  readonly webSeed: readonly string[];
  readonly private?: boolean;
  readonly comment?: string;
  readonly source?: string;
  readonly name?: string;
  readonly exclude: readonly string[];
  readonly symlinks: 'follow' | 'keep' | 'skip';
  /** False with `--no-date`. */
  readonly date: boolean;
}

export interface SwarmOptions extends JsonOption {
  readonly listen?: ListenText;
  readonly peer: readonly HostPort[];
  readonly maxDownload?: number;
  readonly maxUpload?: number;
  readonly only: readonly string[];
  readonly sequential?: boolean;
  readonly state?: string;
  readonly status?: number;
}

/** A parser for one option whose error names the option. */
export function parsedBy<T>(name: string, parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`);
      throw error;
    }
  };
}

/** As {@link parsedBy}, for an option that may be given many times. */
function listOf<T>(name: string, parse: (text: string) => T): (text: string, before: readonly T[]) => readonly T[] {
  const one = parsedBy(name, parse);
  return (text, before) => [...before, one(text)];
}

const asItIs = (text: string): string => text;

/** An option that may be given many times; an empty list without it. */
export function many<T>(flags: string, description: string, parse: (text: string) => T): Option {
  const option = new Option(flags, `${description} (may be given many times)`);
  return option.default([], 'none').argParser(listOf(option.long ?? flags, parse));
}

export function one<T>(flags: string, description: string, parse: (text: string) => T): Option {
  const option = new Option(flags, description);
  return option.argParser(parsedBy(option.long ?? flags, parse));
}

export function addJson(command: Command): Command {
  return command.option('--json', 'print JSON on stdout, for programs');
}

export function addState(command: Command): Command {
  return command.option('--state <DIR>', 'where to remember torrents (default: $XDG_STATE_HOME/shoal)');
}

export function addCreate(command: Command): Command {
  return command
    .option('-o, --output <FILE>', 'where to write it; - is stdout (default: NAME.torrent in this folder)')
    .addOption(new Option('--format <FORMAT>', 'kind of file').choices(['torrent', 'mtorrent']).default('torrent'))
    .addOption(new Option('--meta <META>', 'version of the metainfo').choices(['v1', 'v2', 'hybrid']).default('v1'))
    .addOption(one('--piece-length <SIZE>', 'a power of two from 16 KiB on (default: by size)', parseSize))
    .addOption(many('--tracker <URL>', 'a tier of its own; commas separate trackers of one tier', asItIs))
    .addOption(many('--web-seed <URL>', 'an HTTP server that has the content', checkWebSeedUrl))
    .option('--private', 'peers from the trackers only')
    .option('--comment <TEXT>', 'a comment in the file')
    .option('--source <TEXT>', 'a source tag; it changes the info hash')
    .option('--name <NAME>', 'the name in the torrent (default: that of PATH)')
    .addOption(many('--exclude <GLOB>', "leave out names ('*.tmp') or paths ('docs/**')", asItIs))
    .addOption(
      new Option('--symlinks <HOW>', 'what to do with symlinks').choices(['follow', 'keep', 'skip']).default('follow'),
    )
    .option('--no-date', 'leave the date out: the same input gives the same file');
}

export function addSwarm(command: Command): Command {
  return addState(
    command
      .addOption(
        one(
          '--listen <HOST:PORT>',
          'where to listen; all leaves from HOST (default: everywhere, 6881 or next)',
          parseListen,
        ),
      )
      .addOption(many('--peer <HOST:PORT>', 'a peer to connect to', parseHostPort))
      .addOption(one('--max-download <RATE>', 'bytes a second over all torrents, such as 10MB/s', parseRate))
      .addOption(one('--max-upload <RATE>', 'bytes a second over all torrents, such as 500kB/s', parseRate))
      .addOption(many('--only <GLOB>', "just these files: names ('*.iso') or paths ('docs/**')", asItIs))
      .option('--sequential', 'pieces in order, from the first on')
      .addOption(one('--status <SECONDS>', 'with --json, while it stays: an event so often', parseSeconds)),
  );
}
