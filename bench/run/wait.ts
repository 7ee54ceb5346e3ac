// Waiting by looking, with the sharpness that the measurement needs.

/** Looks every `everyMs` until `condition` is true; false when it is not by then. */
export async function wait(condition: () => boolean, timeoutMs: number, everyMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) return false;
    await pause(everyMs);
  }
  return true;
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
