// The commands of a tracker's catalogue: publish, search, and who may use it. What they do is imported when they run.

import { Argument, type Command, Option } from 'commander';
import type { AccessMode } from '../tracker/site/access-gate.ts';
import { parseCount, parseSize, UsageError } from './args.ts';
import { addJson, addState, type JsonOption, one } from './options.ts';

/** Whom to ask, and with what right. */
export interface RemoteOptions extends JsonOption {
  readonly token?: string;
}

export interface PublishOptions extends RemoteOptions {
  readonly to: string;
}

export interface SearchOptions extends RemoteOptions {
  readonly at: string;
  readonly passkey?: string;
  readonly minSize?: number;
  readonly maxSize?: number;
  readonly since?: number;
  readonly until?: number;
  readonly minSeeds?: number;
  readonly sort: string;
  readonly ascending?: boolean;
  readonly limit: number;
  readonly offset: number;
}

export interface AdminOptions extends RemoteOptions {
  readonly at?: string;
  readonly state?: string;
  readonly role?: string;
  readonly note?: string;
}

/** Of `shoal tracker`: what a catalogue is told. */
export interface CatalogueOptions {
  readonly catalogue?: boolean;
  readonly access?: AccessMode;
  readonly publicUrl?: string;
}

const MODES: readonly AccessMode[] = ['open', 'allow-list', 'private'];

export function addCatalogue(command: Command): Command {
  return command
    .option('--catalogue', 'offer search, publishing and the API (docs/tracker.md)')
    .addOption(new Option('--access <MODE>', 'who may announce; implies --catalogue (default: open)').choices(MODES))
    .addOption(one('--public-url <URL>', 'where people reach this tracker, behind a proxy', parseSite));
}

export function addPublish(command: Command): Command {
  return addJson(
    addToken(
      command
        .argument('<FILE>', 'a .torrent or .mtorrent file (- is stdin)')
        .addOption(one('--to <URL>', 'the tracker', parseSite).makeOptionMandatory()),
    ),
  );
}

export function addSearch(command: Command): Command {
  const number = parseCount(0);
  return addJson(
    addToken(
      command
        .argument('[WORDS...]', 'words, "phrases", beginnings* and -without; none: what is new')
        .addOption(one('--at <URL>', 'the tracker', parseSite).makeOptionMandatory())
        .option('--passkey <KEY>', 'your passkey at a private tracker')
        .addOption(one('--min-size <SIZE>', 'of the content', parseSize))
        .addOption(one('--max-size <SIZE>', 'of the content', parseSize))
        .addOption(one('--since <DATE>', 'published then or later, such as 2026-01-31', parseDate))
        .addOption(one('--until <DATE>', 'published then or earlier', parseDate))
        .addOption(one('--min-seeds <N>', 'with so many seeds', number))
        .addOption(
          new Option('--sort <KEY>', 'the order').choices(['relevance', 'date', 'size', 'seeds']).default('relevance'),
        )
        .option('--ascending', 'smallest, oldest first')
        .addOption(one('--limit <N>', 'so many at most', parseCount(1)).default(25))
        .addOption(one('--offset <N>', 'leave so many out', number).default(0)),
    ),
  );
}

/** Runs a subcommand of `shoal tracker`: its kind, what to do, with whom, the options. */
export type RunAdmin = (
  kind: string,
  action: string,
  subject: string | undefined,
  options: AdminOptions,
) => Promise<void>;

/** `shoal tracker user|token|allow|deny`. */
export function addAdministration(tracker: Command, run: RunAdmin): Command {
  const add = (
    kind: string,
    summary: string,
    actions: readonly string[],
    subject: string,
    lines: readonly string[],
  ): Command =>
    addAsking(
      tracker
        .command(kind)
        .summary(summary)
        .description(`${summary}; on this machine's state folder, or with --at and an admin token on any tracker`)
        .addArgument(new Argument('<ACTION>', 'what to do').choices(actions))
        .argument(`[${subject}]`, 'whom it is about; not for list')
        .addHelpText('after', `\nExamples:\n${lines.map((line) => `  shoal tracker ${kind} ${line}`).join('\n')}`)
        // `--json` and `--state` are options of `shoal tracker` as well, which takes them first.
        .action((action: string, name: string | undefined, _options: object, command: Command) =>
          run(kind, action, name, command.optsWithGlobals<AdminOptions>()),
        ),
    );
  add('user', 'users of a private tracker', ['add', 'list', 'remove', 'reset'], 'NAME', [
    'add ann',
    'list --json',
    'reset ann --at https://tracker.example   (another passkey)',
  ]);
  add('token', 'tokens of the API', ['add', 'list', 'remove'], 'NAME', [
    'add ci',
    'add root --role admin',
    'remove ci',
  ]).addOption(new Option('--role <ROLE>', 'what it may do').choices(['publish', 'admin']).default('publish'));
  for (const list of ['allow', 'deny']) {
    add(list, `the ${list}-list of info hashes`, ['add', 'list', 'remove'], 'HASH|FILE', [
      'add 2c6b6858d61da9543d4231a71db4b1c9264b0685',
      `add Videos.torrent --note 'asked for by mail'`,
      'list',
    ]).option('--note <TEXT>', 'why, for those who look at the list');
  }
  return tracker;
}

function addAsking(command: Command): Command {
  return addJson(addToken(addState(command.addOption(one('--at <URL>', 'a tracker elsewhere', parseSite)))));
}

function addToken(command: Command): Command {
  return command.option('--token <TOKEN>', 'a token of the tracker (default: $SHOAL_TOKEN, which others cannot see)');
}

/** `https://tracker.example:6969`, without `/announce`; `http://` may be left out. No slash at the end. */
export function parseSite(text: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new UsageError(`'${text}' is no tracker; give for example https://tracker.example:6969`);
  }
  return `${url.origin}${url.pathname.replace(/(\/[0-9a-f]{32})?\/announce$|\/$/, '')}`;
}

/** `2026-01-31`, or with a time as in ISO 8601: seconds since 1970. */
function parseDate(text: string): number {
  const ms = /^\d{4}-\d\d(-\d\d)?(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!(ms >= 0)) throw new UsageError(`'${text}' is no date; give for example 2026-01-31`);
  return Math.floor(ms / 1000);
}
