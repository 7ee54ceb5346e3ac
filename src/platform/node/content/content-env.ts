// The part of the real world that hashing content needs, without the modules for network and state.

import type { Env } from '../../../ports/env.ts';
import { createNodeClock } from '../clock.ts';
import { nodeFiles } from '../files.ts';
import { nodeHashes } from '../hashes.ts';
import { createNodePieceIo, type PieceIoOptions } from './piece-io.ts';

/** Ends its threads at `close`, after the work under way. */
export interface NodeContentEnv extends Pick<Env, 'clock' | 'hashes' | 'files' | 'pieceIo'> {
  close(): Promise<void>;
}

export function createNodeContentEnv(options: PieceIoOptions = {}): NodeContentEnv {
  const pieceIo = createNodePieceIo(options);
  return { clock: createNodeClock(), hashes: nodeHashes, files: nodeFiles, pieceIo, close: () => pieceIo.close() };
}
