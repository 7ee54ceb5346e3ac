// Waiting for a condition, by looking often.

const EVERY_MS = 20;

/** Resolves when `condition` gives a value that is neither false, null nor undefined; rejects when time is up, naming `what`. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}
