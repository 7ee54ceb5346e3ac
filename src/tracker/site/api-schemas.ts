// What several routes of the API take and give, as the OpenAPI document tells it.

import { z } from '@hono/zod-openapi';
import type { TorrentJson } from './api-types.ts';

export const passkeyText: z.ZodOptional<z.ZodString> = z
  .string()
  .regex(/^[0-9a-f]{32}$/i, 'a passkey has 32 hex digits')
  .optional()
  .openapi({ description: 'Passkey of a user: links are made for this user. A private tracker asks for it.' });

export const hashText: z.ZodString = z
  .string()
  .regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/i, 'an info hash has 40 hex digits, or 64 of version 2')
  .openapi({ param: { name: 'hash', in: 'path' }, example: '2c6b6858d61da9543d4231a71db4b1c9264b0685' });

export const nameText: z.ZodString = z.string().openapi({ param: { name: 'name', in: 'path' }, example: 'ann' });

/** A number in a query: whole, from `least` to `most`. */
export function numberText(least: number, most: number): z.ZodCoercedNumber {
  return z.coerce.number().int().min(least).max(most);
}

export const torrentSchema: z.ZodType<TorrentJson> = z
  .object({
    infoHash: z.string().openapi({ description: 'Of version 1 where it has one.' }),
    infoHashV1: z.string().nullable(),
    infoHashV2: z.string().nullable(),
    name: z.string(),
    comment: z.string(),
    length: z.number().openapi({ description: 'Bytes of content.' }),
    pieceLength: z.number(),
    fileCount: z.number(),
    private: z.boolean(),
    createdAt: z.number().nullable().openapi({ description: 'Seconds since 1970, as the torrent says.' }),
    publishedAt: z.number(),
    publisher: z.string().openapi({ description: 'Name of the token that it was published with.' }),
    seeds: z.number(),
    leeches: z.number(),
    magnet: z.string(),
    torrent: z.string().openapi({ description: 'URL of the torrent file.' }),
  })
  .openapi('Torrent');

const faultSchema = z
  .object({ error: z.object({ code: z.string(), message: z.string() }) })
  .openapi('Fault', { description: 'One line for a person; the code is stable.' });

/** The body of an answer, in an OpenAPI route. */
export interface Answer<T extends z.ZodType> {
  readonly description: string;
  readonly content: { readonly 'application/json': { readonly schema: T } };
}

export function answer<T extends z.ZodType>(schema: T, description: string): Answer<T> {
  return { description, content: { 'application/json': { schema } } };
}

/** What every route may answer besides. Handlers throw it; see `faultResponse`. */
export const faults: { readonly default: Answer<z.ZodType> } = {
  default: answer(faultSchema, 'What is wrong.'),
};

/** How the OpenAPI document names the token. */
export const bearer: { readonly bearer: string[] }[] = [{ bearer: [] }];
