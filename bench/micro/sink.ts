// A sink that gives every block its place in one piece, and counts what else it is told.

import type { BlockPlace, WireSink } from '../../src/wire/sink.ts';

export class PlacingSink implements WireSink {
  told = 0;
  readonly #place: BlockPlace;

  constructor(pieceBytes: number) {
    this.#place = { bytes: new Uint8Array(pieceBytes), offset: 0 };
  }

  placeBlock(_: number, begin: number): BlockPlace {
    this.#place.offset = begin;
    return this.#place;
  }

  onBlockBytes(count: number): void {
    this.told += count;
  }

  onBlock(): void {
    this.told++;
  }

  onHave(piece: number): void {
    this.told += piece;
  }

  onKeepAlive(): void {}
  onChoke(): void {}
  onUnchoke(): void {}
  onInterested(): void {}
  onNotInterested(): void {}
  onBitfield(): void {}
  onRequest(_piece: number, _begin: number, _length: number): void {}
  onCancel(): void {}
  onPort(): void {}
  onSuggest(): void {}
  onHaveAll(): void {}
  onHaveNone(): void {}
  onReject(): void {}
  onAllowedFast(): void {}
  onExtended(): void {}
  onHashRequest(): void {}
  onHashReject(): void {}
  onHashes(): void {}
  onUnknown(): void {}
}
