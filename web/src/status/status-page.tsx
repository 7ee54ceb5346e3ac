// How the tracker does: numbers that move, and the last hour.

import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { Poll } from '../poll.ts';
import { formatCount, formatDuration } from '../text.ts';
import { Title } from '../title.tsx';
import type { TrackerApi, TrackerHistory, TrackerStats } from '../tracker-api.ts';
import { Figures } from './figures.tsx';
import { Plot } from './plot.tsx';
import { PLOTS } from './plots.ts';
import { ratesOf, type Sample, withSample } from './rates.ts';

const STATS_EVERY_MS = 2000;
/** A step of the history is longer than this. */
const HISTORY_EVERY_MS = 10_000;

interface StatusPageOptions {
  readonly api: TrackerApi;
  readonly catalogue: Signal<boolean | null>;
}

export function StatusPage({ api, catalogue }: StatusPageOptions): JSX.Element {
  const stats = useMemo(() => new Poll(() => api.stats(), STATS_EVERY_MS), []);
  const history = useMemo(() => new Poll(() => api.history(), HISTORY_EVERY_MS), []);
  const samples = useSignal<readonly Sample[]>([]);
  const downSince = useSignal<string | null>(null);
  useEffect(() => stats.start(), []);
  useEffect(() => history.start(), []);
  useSignalEffect(() => {
    const answer = stats.answer.value;
    if (answer === null) return;
    samples.value = withSample(samples.peek(), { atMs: answer.atMs, stats: answer.value });
    catalogue.value = answer.value.catalogue;
  });
  useSignalEffect(() => {
    const isDown = stats.fault.value !== null;
    if (isDown !== (downSince.peek() !== null)) downSince.value = isDown ? new Date().toTimeString().slice(0, 8) : null;
  });
  const now = stats.answer.value?.value ?? null;
  return (
    <>
      <Title text="Status" />
      <p role="status" class={downSince.value === null ? 'live' : 'live down'}>
        {downSince.value !== null
          ? `The tracker does not answer since ${downSince.value}; trying again`
          : now === null
            ? 'Asking the tracker'
            : 'Live'}
      </p>
      {now !== null && (
        <div class={downSince.value === null ? '' : 'stale'}>
          <Swarms stats={now} />
          <Figures stats={now} rates={ratesOf(samples.value)} />
        </div>
      )}
      {history.answer.value !== null && <History history={history.answer.value.value} />}
    </>
  );
}

function Swarms({ stats }: { stats: TrackerStats }): JSX.Element {
  const cards: readonly (readonly [name: string, value: string])[] = [
    ['Torrents', formatCount(stats.swarms)],
    ['Peers', formatCount(stats.peers)],
    ['Seeds', formatCount(stats.seeds)],
    ['Leeches', formatCount(stats.leeches)],
    ['Up', formatDuration(stats.uptimeS)],
  ];
  return (
    <dl class="cards">
      {cards.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function History({ history }: { history: TrackerHistory }): JSX.Element {
  return (
    <section aria-labelledby="history">
      <h2 id="history">The last hour</h2>
      {history.columns.peers.length === 0 ? (
        <p>{`The first step of ${history.stepS} seconds is not over yet.`}</p>
      ) : (
        <div class="plots">
          {PLOTS.map((plan) => (
            <Plot key={plan.title} plan={plan} history={history} />
          ))}
        </div>
      )}
    </section>
  );
}
