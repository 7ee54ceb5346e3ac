// The catalogue of `shoal tracker`: opened before the tracker, which asks it, and closed after it.

import { join } from 'node:path';
import type { Env } from '../ports/env.ts';
import type { TrackerServer, TrackerServerOptions } from '../tracker/server/server.ts';
import { DATABASE_NAME } from '../tracker/site/database-name.ts';
import type { SiteShare } from '../tracker/site/site-protocol.ts';
import type { CatalogueOptions } from './site-options.ts';
import type { TrackerOptions } from './tracker-options.ts';
import { usableStateFolder } from './world.ts';

export interface Catalogue {
  /** What the tracker is told besides. */
  readonly server: Pick<TrackerServerOptions, 'access' | 'ledger' | 'others' | 'hasCatalogue'>;
  /** What each other thread of the tracker gets of the site; null: there is none. */
  readonly share: (() => SiteShare) | null;
  /** Call when the tracker listens. */
  attach(tracker: TrackerServer): void;
  close(): Promise<void>;
}

const NONE: Catalogue = { server: {}, share: null, attach: () => undefined, close: async () => undefined };

/** Without `--catalogue` or `--access` there is none, and nothing is loaded for it. */
export async function openCatalogue(env: Env, options: TrackerOptions & CatalogueOptions): Promise<Catalogue> {
  if (!options.catalogue && options.access === undefined) return NONE;
  const folder = usableStateFolder(options.state);
  const { TrackerSite } = await import('../tracker/site/tracker-site.ts');
  const site = await TrackerSite.open(env, {
    databasePath: join(folder, DATABASE_NAME),
    mode: options.access ?? 'open',
    publicUrl: options.publicUrl ?? null,
  });
  const { access, ledger, others } = site.desk;
  return {
    server: { access, ledger, others, hasCatalogue: true },
    share: () => site.share(),
    attach: (tracker) => site.attach(tracker),
    close: () => site.close(),
  };
}
