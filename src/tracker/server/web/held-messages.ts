// Messages of a connection that wait: the first for something, the others for their turn. Each is counted with the object that it
// takes: without that, empty ones would cost nothing.

/** What a message takes beside its bytes. */
const HELD_MESSAGE_BYTES = 256;
/** More than a chunk has of the shortest that mean anything, scrapes of some seventy bytes. */
const MAX_HELD = 1024;

export class HeldMessages {
  #messages: Uint8Array[] = [];
  /** All of them together. */
  bytes = 0;

  get count(): number {
    return this.#messages.length;
  }

  /** False where too many wait. */
  add(message: Uint8Array): boolean {
    if (this.#messages.length === MAX_HELD) return false;
    this.#messages.push(message);
    this.bytes += message.length + HELD_MESSAGE_BYTES;
    return true;
  }

  /** Takes all of them out, in their order. */
  takeAll(): readonly Uint8Array[] {
    const messages = this.#messages;
    this.clear();
    return messages;
  }

  clear(): void {
    this.#messages = [];
    this.bytes = 0;
  }
}
