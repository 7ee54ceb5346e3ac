// shoal tracker user|token|allow|deny: who may use a tracker.

import { toHex } from '../../base/bytes.ts';
import type { ListEntry } from '../../tracker/site/lists.ts';
import type { Token } from '../../tracker/site/tokens.ts';
import type { User } from '../../tracker/site/users.ts';
import { UsageError } from '../args.ts';
import { note, print, printJson } from '../output.ts';
import { formatBytes, formatDate, formatRatio } from '../render/quantities.ts';
import { localSite, remoteSite, type SiteClient } from '../site-client.ts';
import type { AdminOptions } from '../site-options.ts';
import { readSource } from '../source.ts';
import { loadHttp } from '../world.ts';

/** Entries that are asked for at once. */
const PAGE = 1000;

export async function run(
  kind: string,
  action: string,
  subject: string | undefined,
  options: AdminOptions,
): Promise<void> {
  if (action === 'list' && subject !== undefined) throw new UsageError(`list takes no name: '${subject}' is too much`);
  if (action !== 'list' && subject === undefined) throw new UsageError(`name what to ${action}`);
  if (options.at !== undefined && options.state !== undefined) {
    throw new UsageError('--state is a tracker of this machine, --at one elsewhere: give one of them');
  }
  const site = options.at === undefined ? await localSite(options.state) : remoteSite(options.at, options.token);
  try {
    if (kind === 'user') await actOnUser(site, action, subject, options);
    else if (kind === 'token') await actOnToken(site, action, subject, options);
    else await actOnList(site, kind, action, subject, options);
  } finally {
    site.close();
  }
}

async function actOnUser(site: SiteClient, action: string, name = '', options: AdminOptions): Promise<void> {
  const path = `/api/admin/users/${encodeURIComponent(name)}`;
  if (action === 'list') {
    const users = await pages<User>(site, '/api/admin/users', 'users', ({ name: last }) => last);
    const titles = ['NAME', 'UPLOADED', 'DOWNLOADED', 'RATIO', 'LAST SEEN', 'PASSKEY'];
    await show(options, users, 'no users yet', titles, (user) => [
      user.name,
      formatBytes(user.uploaded),
      formatBytes(user.downloaded),
      user.ratio === null ? '' : formatRatio(user.ratio),
      user.seenAt === null ? 'never' : formatDate(user.seenAt).slice(0, 16),
      user.passkey,
    ]);
  } else if (action === 'remove') tellRemoved(await site.ask('DELETE', path), options);
  else {
    const asked =
      action === 'add' ? site.ask<User>('POST', '/api/admin/users', { name }) : site.ask<User>('POST', `${path}/reset`);
    const user = await asked;
    if (options.json) printJson(user);
    else {
      print(user.passkey);
      note(`the passkey of ${user.name}; it announces at http://HOST:PORT/PASSKEY/announce`);
    }
  }
}

async function actOnToken(site: SiteClient, action: string, name = '', options: AdminOptions): Promise<void> {
  if (action === 'list') {
    const { tokens } = await site.ask<{ tokens: Token[] }>('GET', '/api/admin/tokens');
    const titles = ['NAME', 'ROLE', 'SINCE'];
    await show(options, tokens, 'no tokens yet', titles, (token) => [
      token.name,
      token.role,
      formatDate(token.createdAt).slice(0, 16),
    ]);
  } else if (action === 'remove') {
    tellRemoved(await site.ask('DELETE', `/api/admin/tokens/${encodeURIComponent(name)}`), options);
  } else {
    const body = { name, role: options.role };
    const made = await site.ask<{ token: Token; secret: string }>('POST', '/api/admin/tokens', body);
    if (options.json) printJson(made);
    else {
      print(made.secret);
      note(`a token that may ${made.token.role === 'admin' ? 'do everything' : 'publish'}; it is not shown again`);
    }
  }
}

async function actOnList(
  site: SiteClient,
  list: string,
  action: string,
  subject = '',
  options: AdminOptions,
): Promise<void> {
  const path = `/api/admin/lists/${list}`;
  if (action === 'list') {
    const entries = await pages<ListEntry>(site, path, 'entries', ({ infoHash }) => infoHash);
    const titles = ['INFO HASH', 'SINCE', 'NOTE'];
    await show(options, entries, `the ${list}-list is empty`, titles, (entry) => [
      entry.infoHash,
      formatDate(entry.addedAt).slice(0, 16),
      entry.note,
    ]);
    return;
  }
  const done: unknown[] = [];
  for (const hash of await hashesOf(subject)) {
    if (action === 'add') done.push(await site.ask('PUT', `${path}/${hash}`, { note: options.note ?? '' }));
    else done.push(await site.ask('DELETE', `${path}/${hash}`));
    if (!options.json) print(`${hash} ${action === 'add' ? 'is on' : 'is no more on'} the ${list}-list`);
  }
  if (options.json) printJson(done);
}

/** Of an info hash as text, or of a torrent: a hybrid one has two (BEP 52). */
async function hashesOf(subject: string): Promise<string[]> {
  if (/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(subject)) return [subject.toLowerCase()];
  const source = await readSource(subject, { http: loadHttp });
  const { infoHashV1, infoHashV2 } = source.kind === 'magnet' ? source.magnet : source.metainfo.info;
  return [infoHashV1, infoHashV2].filter((hash) => hash !== null).map(toHex);
}

async function pages<T>(site: SiteClient, path: string, key: string, keyOf: (entry: T) => string): Promise<T[]> {
  const all: T[] = [];
  for (let after = ''; ; ) {
    const answer = await site.ask<Record<string, T[]>>(
      'GET',
      `${path}?limit=${PAGE}&after=${encodeURIComponent(after)}`,
    );
    const some = answer[key] ?? [];
    all.push(...some);
    if (some.length < PAGE) return all;
    after = keyOf(some.at(-1)!);
  }
}

async function show<T>(
  options: AdminOptions,
  entries: readonly T[],
  none: string,
  titles: readonly string[],
  row: (entry: T) => string[],
): Promise<void> {
  if (options.json) printJson(entries);
  else if (entries.length === 0) note(none);
  else {
    const { renderTable } = await import('../render/table.ts');
    print(
      renderTable(
        titles.map((title) => ({ title })),
        entries.map(row),
      ),
    );
  }
}

function tellRemoved(answer: { readonly removed: string }, options: AdminOptions): void {
  if (options.json) printJson(answer);
  else print(`removed: ${answer.removed}`);
}
