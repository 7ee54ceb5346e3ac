// Messages of WebTorrent clients to a tracker.

export type Message = Readonly<Record<string, unknown>>;

/** An info hash or a peer id, as WebTorrent writes it. */
export const id: (byte: number) => string = (byte) => String.fromCharCode(byte).repeat(20);

/** Offers whose ids are 20 times `byte`, `byte` + 1 and so on. */
export const offers: (count: number, byte?: number) => Message[] = (count, byte = 0x80) =>
  Array.from({ length: count }, (_, i) => ({
    offer: { type: 'offer', sdp: `sdp ${byte + i}` },
    offer_id: id(byte + i),
  }));
