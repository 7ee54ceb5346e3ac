// The version of the installed program.

import { readFileSync } from 'node:fs';
import { HOME } from './home.ts';

export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', HOME), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
