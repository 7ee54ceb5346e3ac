import { expect, it } from 'vitest';
import type { StatsHistory } from '../tracker-api.ts';
import { PLOTS, pathOf, plotData, summaryOf } from './plots.ts';

const announces = PLOTS[0]!;
const history: StatsHistory = {
  stepS: 10,
  endMs: 100_000,
  columns: { announcesHttp: [1, 2, 3], announcesUdp: [30, 0] },
};

it('columns end together, and the scale ends at a round number', () => {
  const { lists, length, top } = plotData(history, announces);
  expect(lists).toEqual([
    [1, 2, 3],
    [null, 30, 0],
    [null, null, null],
  ]);
  expect([length, top]).toEqual([3, 50]);
  const tops = [0, 1, 1.1, 2.5, 7, 10, 123_456].map(
    (value) => plotData({ ...history, columns: { announcesHttp: [value] } }, announces).top,
  );
  expect(tops).toEqual([1, 1, 2, 5, 10, 10, 200_000]);
});

it('a line is broken where nothing was measured', () => {
  expect(pathOf([null, 0, 5, null, 10], 10, 400, 100)).toBe('M100.0 100.0L200.0 50.0M400.0 0.0');
  expect(pathOf([], 10, 400, 100)).toBe('');
});

it('says in words what is drawn', () => {
  expect(summaryOf(announces, plotData(history, announces))).toBe(
    'Announces per second, last hour. HTTP now 3.0, at most 3.0; UDP now 0, at most 30; WebSocket: nothing yet',
  );
});
