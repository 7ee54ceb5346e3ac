// What `shoal seed` is to seed: pairs of a torrent file and its content, from the command line or a list.

import { UsageError } from './args.ts';

export interface Pair {
  readonly file: string;
  readonly path: string;
}

/** `a.torrent /srv/a b.torrent /srv/b`. */
export function pairsFromArgs(args: readonly string[]): Pair[] {
  if (args.length % 2 !== 0) {
    throw new UsageError(
      `'${args[args.length - 1]}' stands alone; give pairs: a torrent file, then the path of its content`,
    );
  }
  const out: Pair[] = [];
  for (let i = 0; i < args.length; i += 2) out.push({ file: args[i]!, path: args[i + 1]! });
  return out;
}

/**
 * One pair a line: FILE, a tab, PATH. Without a tab, two words that may be quoted ("a file.torrent" '/srv/a b'). Empty
 * lines and lines that begin with # are left out.
 */
export function pairsFromList(text: string, listName: string): Pair[] {
  const out: Pair[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const parts = line.includes('\t') ? line.split('\t').filter((part) => part !== '') : words(line);
    if (parts.length !== 2) {
      throw new UsageError(`line ${i + 1} of "${listName}" is no pair; write a torrent file, a tab, and a path`);
    }
    out.push({ file: parts[0]!, path: parts[1]! });
  }
  return out;
}

function words(line: string): string[] {
  const parts = line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? [];
  return parts.map((part) => part.replace(/^(["'])(.*)\1$/, '$2'));
}
