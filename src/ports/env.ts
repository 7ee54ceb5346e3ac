// All that the house needs from the world, in one argument. platform/node and platform/sim each make one.

import type { Clock } from './clock.ts';
import type { Files } from './files.ts';
import type { Hashes } from './hashes.ts';
import type { Http } from './http.ts';
import type { Log } from './log.ts';
import type { PieceIo } from './piece-io.ts';
import type { Random } from './random.ts';
import type { Sockets } from './sockets.ts';
import type { Store } from './store.ts';

export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Hashes;
  readonly sockets: Sockets;
  readonly http: Http;
  readonly files: Files;
  readonly pieceIo: PieceIo;
  readonly store: Store;
  readonly log: Log;
}
