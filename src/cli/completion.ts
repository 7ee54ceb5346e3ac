// Completion scripts for bash, zsh and fish, written from the tree of commands, so that they never lag behind it.

import type { Argument, Command, Option } from 'commander';

/** What may stand where a value is expected. */
type Values =
  | { readonly kind: 'path' }
  | { readonly kind: 'any' }
  | { readonly kind: 'choice'; readonly of: readonly string[] };

interface OptionShape {
  readonly flags: readonly string[];
  readonly description: string;
  /** Null for a switch. */
  readonly values: Values | null;
}

interface CommandShape {
  /** With a space: `tracker user`, a command below a command. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionShape[];
  readonly values: Values;
}

export type Shell = 'bash' | 'zsh' | 'fish';

/** The script to be sourced (bash), put into `fpath` (zsh) or into the completions folder (fish). */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.flatMap((command) => [
    shapeOf(command),
    ...command.commands.map((below) => ({ ...shapeOf(below), name: `${command.name()} ${below.name()}` })),
  ]);
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

function shapeOf(command: Command): CommandShape {
  const argument = command.registeredArguments[0];
  const help: OptionShape = { flags: ['-h', '--help'], description: 'show help', values: null };
  return {
    name: command.name(),
    description: command.summary(),
    options: [...command.options.map(optionShape), help],
    values: command.commands.length > 0 ? namesOf(command.commands) : valuesOfFirst(argument),
  };
}

function namesOf(commands: readonly Command[]): Values {
  return { kind: 'choice', of: commands.map((command) => command.name()) };
}

function valuesOfFirst(argument: Argument | undefined): Values {
  return argument ? valuesOf(argument.name(), argument) : { kind: 'any' };
}

/** Commands that stand for themselves, not below another. */
function topOf(commands: readonly CommandShape[]): readonly CommandShape[] {
  return commands.filter(({ name }) => !name.includes(' '));
}

/** `tracker\ user|…`, for a case of a shell. */
function nestedPattern(commands: readonly CommandShape[]): string {
  return commands
    .filter(({ name }) => name.includes(' '))
    .map(({ name }) => name.replace(' ', '\\ '))
    .join('|');
}

function optionShape(option: Option): OptionShape {
  const flags = [option.short, option.long].filter((flag): flag is string => typeof flag === 'string');
  const name = /<([^>]+)>/.exec(option.flags)?.[1];
  return { flags, description: option.description, values: name === undefined ? null : valuesOf(name, option) };
}

function valuesOf(name: string, source: Argument | Option): Values {
  if (source.argChoices) return { kind: 'choice', of: source.argChoices };
  return /\b(FILE|DIR|PATH|TORRENT)\b/.test(name) ? { kind: 'path' } : { kind: 'any' };
}

function bashScript(commands: readonly CommandShape[]): string {
  const cases = commands.map((command) => {
    const valued = command.options.filter((option) => option.values !== null);
    const values = valued.map((option) => `        ${option.flags.join('|')}) ${bashValues(option.values!)}; return;;`);
    const flags = command.options.flatMap((option) => option.flags).join(' ');
    return [
      `    ${command.name.replace(' ', '\\ ')})`,
      '      case "$before" in',
      ...values,
      '      esac',
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$word"))`,
      `      else ${bashValues(command.values)}; fi;;`,
    ].join('\n');
  });
  return `# Completion of shoal for bash: source <(shoal completion bash)
_shoal() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '${topOf(commands)
      .map((command) => command.name)
      .join(' ')} help --help --version' -- "$word"))
    return
  fi
  local command=\${COMP_WORDS[1]}
  if [[ $COMP_CWORD -gt 2 ]]; then
    case "$command \${COMP_WORDS[2]}" in
    ${nestedPattern(commands)}) command="$command \${COMP_WORDS[2]}";;
    esac
  fi
  case "$command" in
${cases.join('\n')}
  esac
}
complete -o filenames -F _shoal shoal
`;
}

function bashValues(values: Values): string {
  if (values.kind === 'choice') return `COMPREPLY=($(compgen -W '${values.of.join(' ')}' -- "$word"))`;
  if (values.kind === 'any') return ':';
  return 'local IFS=$\'\\n\'; COMPREPLY=($(compgen -f -- "$word"))';
}

function zshScript(commands: readonly CommandShape[]): string {
  const list = topOf(commands)
    .map((command) => `    ${quote(`${command.name}:${command.description}`)}`)
    .join('\n');
  const cases = commands.map((command) => {
    const options = command.options.map((option) => `        ${zshOption(option)}`);
    const rest = command.values.kind === 'any' ? [] : [`        ${quote(`*:value:${zshAction(command.values)}`)}`];
    return `    ${command.name.replace(' ', '\\ ')})\n      _arguments -s \\\n${[...options, ...rest].join(' \\\n')};;`;
  });
  return `#compdef shoal
# Completion of shoal for zsh: save as _shoal in a folder of $fpath.
_shoal() {
  local -a commands=(
${list}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  if (( CURRENT > 2 )); then
    case "$command $words[2]" in
    (${nestedPattern(commands)})
      command="$command $words[2]"
      shift words
      (( CURRENT-- ));;
    esac
  fi
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _shoal ]]; then _shoal "$@"; else compdef _shoal shoal; fi
`;
}

function zshOption(option: OptionShape): string {
  const description = option.description.replace(/[[\]:]/g, (character) => `\\${character}`);
  const value = option.values === null ? '' : `:value:${zshAction(option.values)}`;
  const flags = option.flags.map((flag) => quote(`*${flag}[${description}]${value}`));
  return flags.join(' ');
}

function zshAction(values: Values): string {
  if (values.kind === 'choice') return `(${values.of.join(' ')})`;
  return values.kind === 'path' ? '_files' : ' ';
}

function fishScript(commands: readonly CommandShape[]): string {
  const lines = [
    '# Completion of shoal for fish: save as ~/.config/fish/completions/shoal.fish',
    'complete -c shoal -f',
  ];
  for (const command of commands) {
    const [top = '', below] = command.name.split(' ');
    const seen = `__fish_seen_subcommand_from ${top}`;
    const when = `-n ${quote(below === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${below}`)}`;
    if (below === undefined) {
      lines.push(`complete -c shoal -n __fish_use_subcommand -a ${top} -d ${quote(command.description)}`);
    }
    if (command.values.kind === 'path') lines.push(`complete -c shoal ${when} -F`);
    if (command.values.kind === 'choice')
      lines.push(`complete -c shoal ${when} -a ${quote(command.values.of.join(' '))}`);
    for (const option of command.options) lines.push(`complete -c shoal ${when} ${fishOption(option)}`);
  }
  return `${lines.join('\n')}\n`;
}

function fishOption(option: OptionShape): string {
  const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const values = option.values;
  let value = '';
  if (values?.kind === 'path') value = ' -r -F';
  else if (values?.kind === 'choice') value = ` -x -a ${quote(values.of.join(' '))}`;
  else if (values) value = ' -x';
  return `${flags.join(' ')}${value} -d ${quote(option.description)}`;
}

/** Single quotes, as all three shells read them. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
