// Preloaded into a Node program: at its end, writes how late its event loop was into the file LOOP_DELAY_FILE, look by look:
// a JSON array of pairs, when (ms since 1970) and how many ms later than it should have been. A look is due every
// millisecond, as by `monitorEventLoopDelay`, which cannot tell when something happened.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 1;
const file = process.env.LOOP_DELAY_FILE;
if (file !== undefined && isMainThread) {
  /** @type {number[]} */
  const looks = [];
  let lastMs = performance.now();
  setInterval(() => {
    const nowMs = performance.now();
    looks.push(performance.timeOrigin + nowMs, Math.max(0, nowMs - lastMs - EVERY_MS));
    lastMs = nowMs;
  }, EVERY_MS).unref();
  process.on('exit', () => writeFileSync(file, JSON.stringify(looks)));
}
