import { expect, it } from 'vitest';
import { reportText } from './report.ts';
import { soak } from './soak.ts';
import { soakTracker } from './tracker/soak.ts';

const MINUTES = 1;
const TRACKER_MINUTES = 0.4;
/** Of the hostile load: the machine may be busy with other tests. */
const TRACKER_SHARE = 0.25;
/** The one that CI plays; `npm run soak` takes another each time. */
const SEED = 4711;

it.skipIf(process.platform !== 'linux')(
  'keeps a swarm right for a minute in which its members die and come back',
  { timeout: 180_000 },
  async () => {
    const say = (line: string): void => console.log(line);
    const result = await soak({ minutes: MINUTES, seed: SEED, say, signal: new AbortController().signal });
    console.log(reportText(result));
    expect(result.failures).toEqual([]);
  },
);

it.skipIf(process.platform !== 'linux')(
  'keeps a tracker answering honest clients while it is attacked',
  { timeout: 120_000 },
  async () => {
    const say = (line: string): void => console.log(line);
    const options = { minutes: TRACKER_MINUTES, seed: SEED, say, signal: new AbortController().signal };
    const result = await soakTracker(options, TRACKER_SHARE);
    console.log(reportText(result));
    expect(result.failures).toEqual([]);
  },
);
