// shoal demo: creation, seeding, discovery, distribution and the proof, on screen, each who takes part a process of its own.

import { ShoalError } from '../../base/errors.ts';
import { Demo } from '../demo/demo.ts';
import { Screen } from '../demo/screen.ts';
import { Stage } from '../demo/stage.ts';
import { EXIT_FAILED } from '../errors.ts';
import type { JsonOption } from '../options.ts';
import { printJson } from '../output.ts';
import { watchSignals } from '../signals.ts';

export interface DemoOptions extends JsonOption {
  /** The temporary folder stays. */
  readonly keep?: boolean;
}

export async function run(path: string | undefined, options: DemoOptions): Promise<void> {
  const stop = watchSignals({ exitCode: () => EXIT_FAILED, word: () => 'stopping and clearing up' });
  const screen = new Screen(options.json ?? false);
  const stage = await Stage.open(options.keep ?? false);
  try {
    const report = await new Demo(stage, screen, stop).perform(path);
    screen.end();
    if (options.json) printJson(report);
    const wrong = report.leeches.find((leech) => leech.differences.length > 0);
    if (wrong) throw new ShoalError('CONTENT_BAD', `${wrong.name} differs from the source: ${wrong.differences[0]}`);
  } catch (error) {
    // A terminal's Ctrl-C reaches the processes too: that they end is no failure of theirs.
    throw stop.signal.aborted ? new ShoalError('STOPPED', 'the demo was stopped before it was done') : error;
  } finally {
    screen.end();
    await stage.close();
    if (options.keep) screen.line(`\nkept: ${stage.folder}`);
  }
}
