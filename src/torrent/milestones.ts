// The three moments of a torrent that others wait for.

import { Gate } from '../base/gate.ts';
import type { Metainfo } from '../metainfo/types.ts';

export class Milestones {
  /** The content is open and checked, or (magnet link) the search for its metadata has begun. */
  readonly opened: Gate<void> = new Gate();
  readonly metadata: Gate<Metainfo> = new Gate();
  /** Everything that was selected is verified, written and synced. */
  readonly completed: Gate<void> = new Gate();

  /** What was not reached will not be. */
  fail(error: unknown): void {
    this.opened.fail(error);
    this.metadata.fail(error);
    this.completed.fail(error);
  }
}
