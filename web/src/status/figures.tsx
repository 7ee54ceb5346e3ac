// Requests by protocol, what the process costs, and why requests were not served.

import type { JSX } from 'preact';
import { formatBytes, formatCount, formatDuration, formatPerSecond } from '../text.ts';
import type { TrackerStats } from '../tracker-api.ts';
import type { Rates } from './rates.ts';

const PROTOCOLS = [
  ['http', 'HTTP'],
  ['udp', 'UDP'],
  ['ws', 'WebSocket'],
] as const;

/** Kinds that the tracker names later are shown under their own names. */
const FAULT_WORDS: Readonly<Partial<Record<string, string>>> = {
  malformed: 'not readable',
  tooLarge: 'too large',
  unknownAction: 'unknown path or action',
  expiredConnectionId: 'old or made-up connection id',
  refused: 'refused by the rules of access',
  tooManyPeers: 'too many peers of one address',
  rateLimited: 'too many announces of one address',
  tooManyScrapes: 'too many scrapes of one address',
  full: 'the tracker is full',
  tooSlow: 'too slow',
  tooManyConnections: 'too many connections',
  tooMuchHeld: 'WebSocket clients held too much',
} satisfies Partial<Record<keyof TrackerStats['faults'], string>>;

interface FiguresOptions {
  readonly stats: TrackerStats;
  /** Null: not known yet. */
  readonly rates: Rates | null;
}

export function Figures({ stats, rates }: FiguresOptions): JSX.Element {
  return (
    <div class="columns">
      <Requests stats={stats} rates={rates} />
      <Process stats={stats} rates={rates} />
      <Faults faults={stats.faults} />
    </div>
  );
}

function Requests({ stats, rates }: FiguresOptions): JSX.Element {
  const perSecond = (value: number | undefined): string => (value === undefined ? '–' : formatPerSecond(value));
  return (
    <section>
      <h2 id="requests">Requests per second</h2>
      <table aria-labelledby="requests">
        <thead>
          <tr>
            <th scope="col">Protocol</th>
            <th scope="col">Announces</th>
            <th scope="col">Scrapes</th>
            <th scope="col">Errors</th>
          </tr>
        </thead>
        <tbody>
          {PROTOCOLS.map(([key, name]) => (
            <tr key={key}>
              <th scope="row">{name}</th>
              <td data-figure={`${key}-announces`}>{perSecond(rates?.[key].announces)}</td>
              <td>{perSecond(rates?.[key].scrapes)}</td>
              <td>{perSecond(rates?.[key].errors)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="facts">
        <span>{`since the start ${formatCount(totalOf(stats, 'announces'))} announces`}</span>
        <span>{`${formatCount(totalOf(stats, 'scrapes'))} scrapes`}</span>
        <span>{`${formatCount(stats.ws.offers)} offers`}</span>
      </p>
    </section>
  );
}

function totalOf(stats: TrackerStats, what: 'announces' | 'scrapes'): number {
  return stats.http[what] + stats.udp[what] + stats.ws[what];
}

function Process({ stats, rates }: FiguresOptions): JSX.Element {
  const { process, store } = stats;
  const rows: [string, string][] = [
    ['In', rates === null ? '–' : `${formatBytes(rates.bytesIn)}/s`],
    ['Out', rates === null ? '–' : `${formatBytes(rates.bytesOut)}/s`],
    ['HTTP connections', formatCount(stats.http.connections)],
    ['WebSocket connections', formatCount(stats.ws.connections)],
    ['Memory of the swarms', formatBytes(stats.memoryBytes)],
  ];
  if (process !== null) {
    rows.push(
      ['Memory of the process', formatBytes(process.rssBytes)],
      ['Heap', formatBytes(process.heapBytes)],
      ['Event-loop delay, 99 %', `${process.loopDelayP99Ms.toPrecision(3)} ms`],
    );
  }
  rows.push(['Threads', formatCount(stats.threads)], ['Announce interval', formatDuration(stats.intervalS)]);
  if (store !== null) rows.push(['Shared store', store]);
  return (
    <section>
      <h2>Process</h2>
      <dl class="facts-list">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Faults({ faults }: { faults: TrackerStats['faults'] }): JSX.Element {
  const kinds = Object.entries(faults).filter(([, count]) => count > 0);
  return (
    <section>
      <h2>Errors since the start</h2>
      {kinds.length === 0 ? (
        <p>None.</p>
      ) : (
        <dl class="facts-list">
          {kinds.map(([kind, count]) => (
            <div key={kind}>
              <dt>{FAULT_WORDS[kind] ?? kind}</dt>
              <dd>{formatCount(count)}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}
