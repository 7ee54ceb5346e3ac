// Answers hash requests of peers (BEP 52) from the piece layers we have, and from the content for what is below them.

import { toHex } from '../base/bytes.ts';
import { isRangeOf, type NodeSource, proofFor, UpperTree } from '../metainfo/hash-range.ts';
import { leafCountFor, NODE_BYTES, padHash, pieceLayerOf } from '../metainfo/merkle.ts';
import { ENOUGH_PENDING_BYTES } from '../peer/outbox.ts';
import { PRICES } from '../peer/patience.ts';
import type { Peer } from '../peer/peer.ts';
import type { Hashes } from '../ports/hashes.ts';
import type { HashQuery } from '../wire/hash-query.ts';
import type { Core } from './core.ts';

/**
 * Bytes of trees kept, each twice its layer: all of them but in torrents of a million pieces. To make one again costs a
 * hash a piece, which nobody should be able to have us do for every request.
 */
const MAX_TREE_BYTES = 64 << 20;
/** Pieces read and hashed for others at once: it costs us a piece of disk for a few hashes of theirs. */
const MAX_READS = 2;

export class HashAnswers {
  readonly #core: Core;
  readonly #hashes: Hashes;
  /** Files by hex of their root; built when first asked. */
  #files: Map<string, number> | null = null;
  readonly #trees: Map<number, UpperTree> = new Map();
  #treeBytes = 0;
  #reads = 0;

  constructor(core: Core, hashes: Hashes) {
    this.#core = core;
    this.#hashes = hashes;
  }

  /** Answers with the hashes or a refusal; `sent` is called if that happens after this call. */
  answer(peer: Peer, query: HashQuery, sent: () => void): void {
    const file = this.#fileOf(query);
    const { info, checks } = this.#core;
    const price = PRICES.hashMessage + query.length * PRICES.hash;
    const isBusy = peer.outbox.pendingBytes > ENOUGH_PENDING_BYTES || !peer.patience.bears(price, peer.lastHeardMs);
    if (isBusy || file === null || !isRangeOf(leafCountFor(info.files[file]!.lengthBytes), query)) {
      peer.sendHashReject(query);
    } else if (query.baseLayer >= pieceLayerOf(info.pieceLengthBytes) && checks.layerOf(file)) {
      this.#send(peer, query, this.#nodesOf(file));
    } else if (!peer.patience.bears(info.pieceLengthBytes * PRICES.hashedByte, peer.lastHeardMs)) {
      peer.sendHashReject(query);
    } else {
      void this.#answerFromContent(peer, query, file).then(sent);
    }
  }

  #send(peer: Peer, query: HashQuery, nodes: NodeSource): void {
    const hashes = proofFor(query, nodes);
    if (hashes) peer.sendHashes(query, hashes);
    else peer.sendHashReject(query);
  }

  async #answerFromContent(peer: Peer, query: HashQuery, file: number): Promise<void> {
    const leaves = this.#reads < MAX_READS ? await this.#readLeaves(query, file) : null;
    if (peer.closed) return;
    if (leaves) this.#send(peer, query, leaves);
    else peer.sendHashReject(query);
  }

  /** Nodes of the one piece that the query lies in, and of the layers above; null where it spans pieces or we lack it. */
  async #readLeaves(query: HashQuery, file: number): Promise<NodeSource | null> {
    const { info, checks, content, layout, geometry, have } = this.#core;
    const perPiece = checks.of(checks.firstPieceOf(file)!).leafCount;
    const firstLeaf = query.index * 2 ** query.baseLayer;
    const within = Math.floor(firstLeaf / perPiece);
    const piece = checks.firstPieceOf(file)! + within;
    if (
      query.length * 2 ** query.baseLayer > perPiece ||
      within * info.pieceLengthBytes >= info.files[file]!.lengthBytes
    )
      return null;
    if (!have.has(piece)) return null;
    const { treeBytes, leafCount } = checks.of(piece);
    const job = {
      spans: layout.pieceSpans(piece),
      lengthBytes: geometry.dataBytes(piece),
      sha1: false,
      treeBytes,
      leafCount,
      wantLeaves: true,
    };
    this.#reads++;
    try {
      const [outcome] = await content.hash([job]);
      if (!outcome?.leaves) return null;
      const pad = new Uint8Array(NODE_BYTES);
      const tree = new UpperTree(outcome.leaves, 0, leafCount, pad, this.#hashes.sha256);
      const above = checks.layerOf(file) ? this.#nodesOf(file) : (): null => null;
      const top = pieceLayerOf(info.pieceLengthBytes);
      return (layer, index) => {
        if (layer >= top && checks.layerOf(file)) return above(layer, index);
        const offset = (within * perPiece) / 2 ** layer;
        return index >= offset && index < offset + Math.max(1, leafCount / 2 ** layer)
          ? tree.node(layer, index - offset)
          : null;
      };
    } catch {
      return null;
    } finally {
      this.#reads--;
    }
  }

  #nodesOf(file: number): NodeSource {
    const { info, checks } = this.#core;
    let tree = this.#trees.get(file);
    if (!tree) {
      const layer = pieceLayerOf(info.pieceLengthBytes);
      const pad = padHash(layer, this.#hashes.sha256);
      const leafCount = leafCountFor(info.files[file]!.lengthBytes);
      tree = new UpperTree(checks.layerOf(file)!, layer, leafCount, pad, this.#hashes.sha256);
      this.#keep(file, tree);
    }
    return (at, index) => tree.node(at, index);
  }

  #keep(file: number, tree: UpperTree): void {
    this.#trees.set(file, tree);
    this.#treeBytes += this.#bytesOf(file);
    for (const oldest of this.#trees.keys()) {
      if (oldest === file || this.#treeBytes <= MAX_TREE_BYTES) return;
      this.#trees.delete(oldest);
      this.#treeBytes -= this.#bytesOf(oldest);
    }
  }

  #bytesOf(file: number): number {
    return 2 * this.#core.checks.layerOf(file)!.length;
  }

  #fileOf(query: HashQuery): number | null {
    if (this.#files === null) {
      this.#files = new Map();
      for (const [index, file] of this.#core.info.files.entries()) {
        if (file.piecesRoot) this.#files.set(toHex(file.piecesRoot), index);
      }
    }
    return this.#files.get(toHex(query.piecesRoot)) ?? null;
  }
}
