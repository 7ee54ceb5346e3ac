// Ctrl-C, SIGTERM and SIGHUP: the first asks for a clean end within 3 s, the second ends at once.

import { setMaxListeners } from 'node:events';
import { ShoalError } from '../base/errors.ts';
import { note } from './output.ts';

/** A clean end may take this long: trackers that hang must not keep a person waiting (3 s with all that follows). */
export const CLOSE_DEADLINE_MS = 2000;
/** After this the program ends whatever still runs. */
const HARD_DEADLINE_MS = 2700;
/**
 * Signals that come together are one: `timeout` and `npm run` send theirs to the program and to its whole group, and a
 * terminal adds its own. A person is slower than this.
 */
const ONE_SIGNAL_MS = 400;

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export interface StopWatch {
  /** Aborts at the first signal; its reason is a ShoalError STOPPED. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly stopped: Promise<void>;
  /** What `work` gives, or a STOPPED error at the first signal (`work` is told through `signal` and then left alone). */
  race<T>(work: Promise<T>): Promise<T>;
}

export interface StopOptions {
  /** The exit code when the clean end takes too long or a second signal comes. */
  readonly exitCode: () => number;
  /** Said at the first signal; empty: nothing. */
  readonly word: () => string;
  /** Said when the end is forced, in the place of what the clean end would have said; empty: nothing. */
  readonly lastWord?: () => string;
  /** What SIGHUP does instead of ending the program. */
  readonly onHangup?: (() => void) | null;
}

/** Takes over the signals until the program ends; call once a run. */
export function watchSignals(options: StopOptions): StopWatch {
  const controller = new AbortController();
  // Every torrent that is being taken up listens.
  setMaxListeners(0, controller.signal);
  let resolveStopped: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    resolveStopped = resolve;
  });
  const force = (): never => {
    say(options.lastWord?.() ?? '');
    process.exit(options.exitCode());
  };
  let firstMs = 0;
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - firstMs > ONE_SIGNAL_MS) force();
      return;
    }
    firstMs = performance.now();
    say(options.word());
    setTimeout(force, HARD_DEADLINE_MS).unref();
    controller.abort(new ShoalError('STOPPED', 'stopped before it was done; run the same command again to do it'));
    resolveStopped();
  };
  for (const name of SIGNALS) process.on(name, (name === 'SIGHUP' && options.onHangup) || onSignal);
  const signal = controller.signal;
  return { signal, stopped, race: (work) => raceSignal(work, signal) };
}

function say(text: string): void {
  if (text !== '') note(text);
}

function raceSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
