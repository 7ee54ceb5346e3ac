import { expect, it } from 'vitest';
import { reportText } from './report.ts';
import { soak } from './soak.ts';

const MINUTES = 1;
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
