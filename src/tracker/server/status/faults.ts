// Why requests were not served, by kind: a fixed list, so that every program can name them.

/** Counted since the start, over all protocols; plain numbers that are added to. */
export class FaultCounters {
  /** It cannot be read: a broken head, query, packet or message. */
  malformed = 0;
  /** A head, body or message above its limit. */
  tooLarge = 0;
  /** An action, path or method that a tracker does not have. */
  unknownAction = 0;
  /** A UDP connection id that has expired, is somebody else's, or made up. */
  expiredConnectionId = 0;
  /** By access rules: an info hash that is not served here, a passkey that nobody has. */
  refused = 0;
  /** Too many peers at one address. */
  tooManyPeers = 0;
  /** Too many announces from one address. */
  rateLimited = 0;
  /** Too many scrapes from one address, or of everything at once. */
  tooManyScrapes = 0;
  /** The tracker knows as many torrents or peers as it may. */
  full = 0;
  /** A connection that did not get its request through in time. */
  tooSlow = 0;
  /** A connection that was closed because too many were open. */
  tooManyConnections = 0;
  /** A WebSocket connection that was closed because all of them together held too much. */
  tooMuchHeld = 0;
}

export type Fault = keyof FaultCounters;

export const FAULTS: readonly Fault[] = Object.keys(new FaultCounters()) as Fault[];
