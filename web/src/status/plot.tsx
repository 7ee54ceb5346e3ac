// A plot of the last hour, in SVG: colours come from the style sheet. The pointer reads values off it.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { TrackerHistory } from '../tracker-api.ts';
import { type PlotData, type PlotPlan, pathOf, plotData, summaryOf } from './plots.ts';

/** The drawing's own measure; it is stretched to whatever room there is. */
const WIDTH = 600;
const HEIGHT = 150;

export function Plot({ plan, history }: { plan: PlotPlan; history: TrackerHistory }): JSX.Element {
  const data = useMemo(() => plotData(history, plan), [history]);
  /** What the pointer is at; null: it is elsewhere. */
  const pointed = useSignal<number | null>(null);
  const { length, lists, top } = data;
  const point = (event: PointerEvent): void => {
    const { left, width } = (event.currentTarget as Element).getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - left) / width));
    pointed.value = Math.round(part * (length - 1));
  };
  const at = Math.min(pointed.value ?? length - 1, length - 1);
  const x = (WIDTH * at) / Math.max(1, length - 1);
  return (
    <figure class="plot">
      <figcaption>{plan.title}</figcaption>
      <p class="hidden">{summaryOf(plan, data)}</p>
      <div aria-hidden="true">
        <div class="drawing">
          <svg
            aria-hidden="true"
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            onPointerMove={point}
            onPointerLeave={() => {
              pointed.value = null;
            }}
          >
            <path class="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
            {pointed.value !== null && <path class="grid" d={`M${x} 0V${HEIGHT}`} />}
            {lists.map((list, i) => (
              <path key={plan.series[i]!.name} class={`line series-${i + 1}`} d={pathOf(list, top, WIDTH, HEIGHT)} />
            ))}
          </svg>
          <span class="top">{plan.format(top)}</span>
          <span class="middle">{plan.format(top / 2)}</span>
        </div>
        <Times data={data} />
        <Legend plan={plan} data={data} at={at} />
      </div>
    </figure>
  );
}

function Times({ data }: { data: PlotData }): JSX.Element {
  return (
    <p class="row times">
      {[0, 0.5, 1].map((part) => (
        <span key={part}>{timeOf(data, part * (data.length - 1)).slice(0, 5)}</span>
      ))}
    </p>
  );
}

function Legend({ plan, data, at }: { plan: PlotPlan; data: PlotData; at: number }): JSX.Element {
  return (
    <p class="facts">
      <span>{timeOf(data, at)}</span>
      {plan.series.map(({ name }, i) => (
        <span key={name} class={`key series-${i + 1}`}>
          {`${name} ${plan.format(data.lists[i]![at] ?? 0)}`}
        </span>
      ))}
    </p>
  );
}

/** `08:15:00`, in the reader's time zone. */
function timeOf({ endMs, stepS, length }: PlotData, index: number): string {
  if (length === 0) return '';
  return new Date(endMs - 1000 * stepS * (length - 1 - index)).toTimeString().slice(0, 8);
}
