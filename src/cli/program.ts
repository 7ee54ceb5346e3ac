// The tree of commands: names, arguments, options, examples. What a command does is imported when it runs.

import { Argument, Command, Help } from 'commander';
import { parseListen, parseRatio } from './args.ts';
import { addCreate, addJson, addState, addSwarm, many, one } from './options.ts';
import { addAdministration, addCatalogue, addPublish, addSearch } from './site-options.ts';
import { addTracker } from './tracker-options.ts';

/** What a module below `commands/` exports: called with the arguments, the options and the commander command. */
interface CommandModule {
  readonly run: (...args: never[]) => Promise<void>;
}

/** How to load each command's module. */
export type CommandModules = Readonly<Record<CommandName, () => Promise<CommandModule>>>;

type CommandName =
  | 'create'
  | 'inspect'
  | 'magnet'
  | 'verify'
  | 'get'
  | 'seed'
  | 'share'
  | 'tracker'
  | 'tracker-admin'
  | 'publish'
  | 'search'
  | 'peers'
  | 'list'
  | 'remove'
  | 'demo'
  | 'completion';

/** Builds the tree; throws CommanderError instead of ending the process, and writes no errors by itself. */
export function buildProgram(version: string, modules: CommandModules): Command {
  const program = new Command('shoal')
    .description('A complete BitTorrent system: make a torrent, run the tracker, seed, fetch from many peers at once.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined })
    .configureHelp({
      optionDescription: (option) => new Help().optionDescription(option).replace(' (default: none)', ''),
    })
    .addHelpText('after', examples('shoal share ~/Videos', 'shoal get Videos.torrent -o /srv'));
  const add: Add = (name, summary, ...lines) =>
    program
      .command(name)
      .summary(summary)
      .description(summary)
      .addHelpText('after', examples(...lines))
      .action(async (...all: unknown[]) => (await modules[name]()).run(...(all as never[])));
  addMaking(add);
  addFetching(add);
  addTrackers(add, modules);
  addRest(add);
  return program;
}

type Add = (name: CommandName, summary: string, ...examples: string[]) => Command;

function addMaking(add: Add): void {
  addJson(
    addCreate(
      add(
        'create',
        'make a torrent file of a file or folder',
        'shoal create ~/Videos --tracker http://tracker.example:6969/announce',
        'shoal create disk.img --meta hybrid --piece-length 4MiB -o disk.torrent',
        'shoal create notes.txt --format mtorrent --tracker http://a.example/announce --tracker http://b.example/announce',
      ).argument('<PATH>', 'the file or folder'),
    ),
  );
  addJson(
    add(
      'inspect',
      'show what a torrent file or magnet link holds',
      'shoal inspect Videos.torrent',
      "shoal inspect 'magnet:?xt=urn:btih:…'",
      'shoal inspect Videos.torrent --json',
    )
      .argument('<FILE|MAGNET>', 'a .torrent or .mtorrent file (- is stdin), a magnet link or a URL')
      .option('--all', 'show every file, however many there are'),
  );
  addJson(
    add('magnet', 'print the magnet link of a torrent file', 'shoal magnet Videos.torrent').argument(
      '<FILE>',
      'a .torrent or .mtorrent file',
    ),
  );
  addJson(
    add(
      'verify',
      'check content against a torrent file',
      'shoal verify Videos.torrent ~/Videos',
      'shoal verify Videos.torrent /srv --json',
    )
      .argument('<FILE>', 'a .torrent or .mtorrent file')
      .argument('<PATH>', 'the content, or the folder that holds it'),
  );
}

function addFetching(add: Add): void {
  addJson(
    addSwarm(
      add(
        'get',
        'fetch a torrent, uploading to others meanwhile',
        'shoal get Videos.torrent -o /srv',
        "shoal get 'magnet:?xt=urn:btih:…' --keep-seeding",
        'shoal get https://example.org/disk.torrent --on-complete \'sha256sum "$SHOAL_PATH"\'',
      )
        .argument('<FILE|MAGNET|URL>', 'a .torrent or .mtorrent file, a magnet link, or the URL of a torrent file')
        .option('-o, --output <DIR>', 'the folder that the content is put into', '.')
        .option('--keep-seeding', 'stay as a seed when complete')
        .addOption(one('--seed-ratio <N>', 'stay as a seed until N times the size is uploaded', parseRatio))
        .option('--on-complete <COMMAND>', 'run through the shell when all is verified and written')
        .option('--preallocate', 'reserve the disk space at once'),
    ),
  );
  addJson(
    addSwarm(
      add(
        'seed',
        'give content to others; without arguments all that was shared and fetched before',
        'shoal seed Videos.torrent ~/Videos',
        'shoal seed a.torrent /srv/a b.torrent /srv/b --max-upload 20MB/s',
        'shoal seed --list torrents.txt',
        'shoal seed',
      )
        .argument('[FILE PATH...]', 'pairs of a torrent file and its content')
        .option('--list <FILE>', 'take pairs from a file: FILE, a tab, PATH on each line'),
    ),
  );
  addJson(
    addSwarm(
      addCreate(
        add(
          'share',
          'make a torrent file and seed it at once; without --tracker it runs one itself',
          'shoal share ~/Videos',
          'shoal share disk.img --host 192.0.2.7',
          'shoal share ~/Videos --tracker http://tracker.example:6969/announce',
        ).argument('<PATH>', 'the file or folder'),
      ).option(
        '--host <HOST>',
        "the name or address under which others reach the own tracker (default: this machine's)",
      ),
    ),
  );
}

function addTrackers(add: Add, modules: CommandModules): void {
  const tracker = addJson(
    addState(
      addCatalogue(
        addTracker(
          add(
            'tracker',
            'run a tracker',
            'shoal tracker',
            'shoal tracker --listen 192.0.2.7:6969 --listen [2001:db8::7]:6969',
            'shoal tracker --listen :443 --no-udp --tls-cert /etc/ssl/tracker.pem --tls-key /etc/ssl/tracker.key',
            'shoal tracker --workers 4',
            'shoal tracker --near 10.1.0.0/16 --near 10.2.0.0/16 --interval 300',
            'shoal tracker --listen 127.0.0.1:6970 --proxy 127.0.0.1',
            'shoal tracker --config /etc/shoal/tracker.toml --print-config',
            'shoal tracker --access private --public-url https://tracker.example',
          ),
        ),
      ),
    ),
  );
  // Of another machine's tracker this one's configuration says nothing.
  tracker.hook('preAction', async (_, command) => {
    if (command.getOptionValue('at') !== undefined) return;
    await (await import('./tracker-config.ts')).applyConfig(tracker, process.env);
  });
  addAdministration(tracker, async (...all) => {
    const { run } = await modules['tracker-admin']();
    await run(...(all as unknown[] as never[]));
  });
  addPublish(
    add(
      'publish',
      'register a torrent file at a tracker with a catalogue',
      'shoal publish Videos.torrent --to https://tracker.example   (the token is in SHOAL_TOKEN)',
      'shoal create ~/Videos --tracker http://localhost:6969/announce -o - | shoal publish - --to localhost:6969',
    ),
  );
  addSearch(
    add(
      'search',
      'find torrents in the catalogue of a tracker',
      'shoal search holiday 2024 --at https://tracker.example',
      `shoal search '"live concert" -mp3 flac*' --at tracker.example:6969 --min-size 100MB --sort seeds`,
      'shoal search --at tracker.example:6969 --json',
    ),
  );
}

function addRest(add: Add): void {
  addJson(
    add(
      'peers',
      'ask each tracker for the swarm and list what it says',
      'shoal peers Videos.torrent',
      "shoal peers 'magnet:?xt=urn:btih:…' --json",
    )
      .argument('<FILE|MAGNET>', 'a .torrent or .mtorrent file, a magnet link or a URL')
      .addOption(many('--tracker <URL>', 'ask this tracker too', (text) => text))
      .addOption(one('--listen <HOST:PORT>', 'ask from the address HOST', parseListen)),
  );
  addJson(addState(add('list', 'list what was shared and fetched', 'shoal list', 'shoal list --json')));
  addJson(
    addState(
      add(
        'remove',
        'forget torrents; content is never deleted',
        'shoal remove Videos',
        'shoal remove 2f5e…  (the first digits of an info hash)',
        'shoal remove --all',
      )
        .argument('[TORRENT...]', 'names, info hashes (or their first 6 or more digits) or paths of the content')
        .option('--all', 'forget everything'),
    ),
  );
  addJson(
    add(
      'demo',
      'watch two trackers, a seed and three leeches at work, each a process of its own',
      'shoal demo',
      'shoal demo ~/Videos',
    )
      .argument('[PATH]', "what to distribute (default: Shoal's own node_modules)")
      .option('--keep', 'leave the temporary folder with the three copies'),
  );
  add(
    'completion',
    'print a completion script for a shell',
    'source <(shoal completion bash)',
    'shoal completion zsh > ~/.zfunc/_shoal',
    'shoal completion fish > ~/.config/fish/completions/shoal.fish',
  ).addArgument(new Argument('<SHELL>', 'the shell').choices(['bash', 'zsh', 'fish']));
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
