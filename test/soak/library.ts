// The long-lived user of the library (session.mjs) and those who judge what it does.

import { Actor, HERE, HOME } from './actor.ts';
import { type Content, differenceOf } from './content.ts';
import type { Run } from './run.ts';

/** As for the other leeches. */
const HANG_MS = 60_000;
const LOOK_MS = 500;

/** Starts it; the promise resolves when the run is over. */
export async function startLibrary(
  run: Run,
  contents: readonly Content[],
): Promise<{ readonly actor: Actor; readonly played: Promise<void> }> {
  const folder = await run.newFolder('library');
  const torrents = contents.map(({ file }) => file);
  const job = { library: new URL('dist/', `file://${HOME}`).href, torrents, folder, ip: '127.0.3.1' };
  const script = new URL('session.mjs', HERE).pathname;
  let copiedMs = performance.now();
  const compare = async (event: Record<string, unknown>): Promise<void> => {
    copiedMs = performance.now();
    const difference = await differenceOf(contents[Number(event.torrent)]!, String(event.folder));
    if (difference !== null) run.fail(`the library's session: ${difference}`);
    else run.count('copies by the library');
    actor.say('next');
  };
  const actor = new Actor({
    name: 'session of the library',
    argv: [process.execPath, script, JSON.stringify(job)],
    cwd: folder,
    watched: true,
    onEvent: (event) => void compare(event),
  });
  const played = (async () => {
    while (!run.isOver) {
      await run.wait(LOOK_MS);
      if (run.isOver) return;
      const late = performance.now() - copiedMs > HANG_MS;
      if (!actor.hasEnded && !late) continue;
      return run.fail(`the library's session ${late ? 'hangs' : 'ended by itself'}: ${actor.lastWords}`);
    }
  })();
  return { actor, played };
}
