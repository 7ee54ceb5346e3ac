// What `shoal tracker --print-config` shows: every setting as the tracker has it, but for passwords, as a file that could be
// given to --config.

import type { Command, Option } from 'commander';
import { stringify } from 'smol-toml';
import { formatIp } from '../base/address.ts';
import { keyOf, settingsOf, variableOf } from './tracker-config.ts';

/** Where a value comes from. */
type Source = 'flag' | 'environment' | 'file' | 'default';

/** A value with its source; null: none is set, and the tracker does what the description says. */
export interface PrintedSetting {
  readonly value: string | number | boolean | readonly string[] | null;
  readonly source: Source;
}

/** What stands for a password: people show their settings to others. */
const HIDDEN = '***';

export function printedSettings(command: Command): Record<string, PrintedSetting> {
  const settings: Record<string, PrintedSetting> = {};
  for (const option of settingsOf(command)) {
    const name = option.attributeName();
    const source = sourceOf(command.getOptionValueSource(name));
    settings[keyOf(option)] = { value: plain(command.getOptionValue(name)), source };
  }
  return settings;
}

/** TOML, a setting a line; what is not set is a comment that says what holds instead. */
export function configText(command: Command): string {
  const settings = printedSettings(command);
  const lines = settingsOf(command).map((option) => {
    const key = keyOf(option);
    const { value, source } = settings[key]!;
    if (value === null || (Array.isArray(value) && source === 'default')) return `# ${key}: ${option.description}`;
    return `${stringify({ [key]: value }).trim()}  # ${told(source, option)}`;
  });
  return lines.join('\n');
}

function told(source: Source, option: Option): string {
  return source === 'environment' ? variableOf(option) : source === 'file' ? 'from the file' : source;
}

function sourceOf(source: string | undefined): Source {
  if (source === 'cli') return 'flag';
  return source === 'environment' || source === 'file' ? source : 'default';
}

/** Values as they would be written in a file. */
function plain(value: unknown): PrintedSetting['value'] {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map((each) => String(plain(each)));
  if (typeof value !== 'object' || value === null) return null;
  if ('ip' in value && 'prefix' in value) return `${formatIp(value.ip as Uint8Array)}/${value.prefix}`;
  if ('host' in value && 'port' in value) return placeText(value.host as string | null, value.port as number | null);
  return null;
}

/** A URL without its password: `//USER:***@HOST`, `?password=***`. What is written before `@` alone may be one, too. */
function withoutSecrets(text: string): string {
  const [place = '', ...queries] = text.split('?');
  if (!/^[a-z+]+:\/\//i.test(place)) return text;
  const shown = place.replace(/:\/\/(?:([^:@/]*):)?[^/]*@/, (_, user?: string) =>
    user === undefined ? `://${HIDDEN}@` : `://${user}:${HIDDEN}@`,
  );
  if (queries.length === 0) return shown;
  const fields = queries.join('?').split('&');
  const isSecret = (field: string): boolean => new URLSearchParams(field).has('password');
  return `${shown}?${fields.map((field) => (isSecret(field) ? `password=${HIDDEN}` : field)).join('&')}`;
}

function placeText(host: string | null, port: number | null): string {
  const named = host === null ? '*' : host.includes(':') ? `[${host}]` : host;
  return port === null ? named : `${named}:${port}`;
}
