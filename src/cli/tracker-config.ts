// The configuration of `shoal tracker`: defaults < file < environment < flags. What the flags are is the only list there is: a
// key of the file is a flag without its dashes, a variable is SHOAL_ and the same in capitals, and each value goes through
// the parser of its flag.

import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command, Option } from 'commander';
import type { TomlTable, TomlValue } from 'smol-toml';
import { errnoOf } from '../platform/node/system-errors.ts';
import { UsageError } from './args.ts';

/** A list of a thousand networks has 20 kB; what is longer is another file. */
const MAX_FILE_BYTES = 1024 * 1024;
/** They say what to do, not how. */
const NOT_IN_FILES: ReadonlySet<string> = new Set(['config', 'print-config', 'help']);
const YES: ReadonlySet<string> = new Set(['1', 'true', 'yes', 'on']);
const NO: ReadonlySet<string> = new Set(['0', 'false', 'no', 'off']);

/** `max-peers`, for `--max-peers`; `udp`, for `--no-udp`. */
export function keyOf(option: Option): string {
  return (option.long ?? '').replace(/^--(no-)?/, '');
}

/** `SHOAL_MAX_PEERS` */
export function variableOf(option: Option): string {
  return `SHOAL_${keyOf(option).toUpperCase().replaceAll('-', '_')}`;
}

/** Options of the command that a file and the environment may set. */
export function settingsOf(command: Command): readonly Option[] {
  return command.options.filter((option) => !NOT_IN_FILES.has(keyOf(option)));
}

/** Whether it is a file or folder of the user's. */
function isPath(option: Option): boolean {
  return /<(FILE|DIR)>/.test(option.flags);
}

/** Sets what no flag has set. USAGE with file, line and key, or the variable, where a value is none. */
export async function applyConfig(
  command: Command,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const options = settingsOf(command);
  const path = command.getOptionValue('config') ?? environment.SHOAL_CONFIG;
  if (typeof path === 'string' && path !== '') await applyFile(command, options, path);
  for (const option of options) {
    const text = environment[variableOf(option)];
    if (text !== undefined) set(command, option, fromEnvironment(option, text), variableOf(option), 'environment');
  }
}

async function applyFile(command: Command, options: readonly Option[], path: string): Promise<void> {
  const text = readConfig(path);
  const { parse, TomlError } = await import('smol-toml');
  let table: TomlTable;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split('\n');
    throw new UsageError(`${path}:${error.line}: ${what!.replace(/^Invalid TOML document: /, '')}`);
  }
  const byKey = new Map(options.map((option) => [keyOf(option), option]));
  for (const [key, value] of Object.entries(table)) {
    const place = `${path}:${lineOf(text, key)}: ${key}`;
    const option = byKey.get(key);
    if (option === undefined) throw new UsageError(`${place}: there is no such key${hint(key, [...byKey.keys()])}`);
    set(command, option, textsOf(option, value, place), place, 'file', dirname(path));
  }
}

function readConfig(path: string): string {
  try {
    if (statSync(path).size > MAX_FILE_BYTES)
      throw new UsageError(`${path} is larger than 1 MiB: it is no configuration`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--config: '${path}' cannot be read (${errnoOf(error)})`);
  }
}

/** Where the key is set: keys are words at the begin of a line. */
function lineOf(text: string, key: string): number {
  const lines = text.split('\n');
  const found = lines.findIndex((line) => /^\s*\[*\s*["']?([^\s"'.=\]]*)/.exec(line)?.[1] === key);
  return Math.max(found, 0) + 1;
}

/** The key that was probably meant. */
function hint(key: string, keys: readonly string[]): string {
  const bare = (name: string): string =>
    name
      .replace(/^no-/, '')
      .replace(/[^a-z]/gi, '')
      .toLowerCase();
  const begins = (long: string, short: string): boolean => short.length > 2 && long.startsWith(short);
  const meant =
    keys.find((each) => bare(each) === bare(key)) ??
    keys.find((each) => begins(bare(each), bare(key)) || begins(bare(key), bare(each)));
  return meant === undefined ? '' : `; is it ${meant}?`;
}

type Texts = boolean | readonly string[];

/** A switch, or the texts that would follow the flag. */
function textsOf(option: Option, value: TomlValue, place: string): Texts {
  const wants = (what: string): UsageError => new UsageError(`${place}: give ${what}`);
  if (!takesValue(option)) {
    if (typeof value !== 'boolean') throw wants('true or false');
    return value;
  }
  const isScalar = (each: TomlValue): each is string | number => typeof each === 'string' || typeof each === 'number';
  if (isList(option)) {
    const list = Array.isArray(value) ? value : [value];
    if (!list.every(isScalar)) throw wants('a list of texts in quotes');
    return list.map(String);
  }
  if (!isScalar(value)) throw wants('one number, or a text in quotes');
  return [String(value)];
}

function fromEnvironment(option: Option, text: string): Texts {
  if (!takesValue(option)) {
    const word = text.trim().toLowerCase();
    if (!YES.has(word) && !NO.has(word))
      throw new UsageError(`${variableOf(option)}: '${text}' is neither true nor false`);
    return YES.has(word);
  }
  return isList(option) ? text.split(/[\s,]+/).filter((each) => each !== '') : [text];
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function isList(option: Option): boolean {
  return Array.isArray(option.defaultValue);
}

/** `place`: what is named where the parser finds fault. `folder`: what paths begin at; default: the working folder. */
function set(command: Command, option: Option, texts: Texts, place: string, source: string, folder = '.'): void {
  const name = option.attributeName();
  if (command.getOptionValueSource(name) === 'cli') return;
  if (typeof texts === 'boolean') {
    command.setOptionValueWithSource(name, texts, source);
    return;
  }
  let value: unknown = option.defaultValue;
  for (const text of texts) {
    // An empty one would be the folder itself.
    if (isPath(option) && text === '') throw new UsageError(`${place}: this path is empty`);
    value = parseOne(option, isPath(option) ? resolve(folder, text) : text, value, place);
  }
  command.setOptionValueWithSource(name, value, source);
}

function parseOne(option: Option, text: string, before: unknown, place: string): unknown {
  if (option.parseArg === undefined) return text;
  try {
    return (option.parseArg as (text: string, before: unknown) => unknown)(text, before);
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^--[\w-]+: /, '') : '';
    throw new UsageError(
      `${place}: ${option.argChoices ? `'${text}' is none of ${option.argChoices.join(', ')}` : said}`,
    );
  }
}
