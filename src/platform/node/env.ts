// The real world as one Env. Making it costs nothing: threads, sockets, files and the state folder come with first use.

import type { Env } from '../../ports/env.ts';
import { type Log, silentLog } from '../../ports/log.ts';
import { createNodeClock } from './clock.ts';
import { createNodePieceIo, type PieceIoOptions } from './content/piece-io.ts';
import { nodeFiles } from './files.ts';
import { nodeHashes } from './hashes.ts';
import { createNodeHttp } from './net/http.ts';
import { createNodeSockets } from './net/sockets.ts';
import { createNodeRandom } from './random.ts';
import { createFileStore } from './store.ts';

export interface NodeEnvOptions extends PieceIoOptions {
  /** Where the store keeps its records; made at the first write. */
  readonly stateFolder: string;
  /** Default: says nothing. */
  readonly log?: Log;
}

/** An Env that ends its threads at `close`, after the work under way. Sockets belong to those who opened them. */
export interface NodeEnv extends Env {
  close(): Promise<void>;
}

export function createNodeEnv(options: NodeEnvOptions): NodeEnv {
  const clock = createNodeClock();
  const pieceIo = createNodePieceIo(options);
  const http = createNodeHttp();
  return {
    clock,
    random: createNodeRandom(),
    hashes: nodeHashes,
    sockets: createNodeSockets(clock),
    http,
    files: nodeFiles,
    pieceIo,
    store: createFileStore(options.stateFolder),
    log: options.log ?? silentLog,
    close: () => {
      http.close();
      return pieceIo.close();
    },
  };
}
