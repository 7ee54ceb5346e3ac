import { expect, it } from 'vitest';
import { historyOf } from '../../test/fake-api.ts';
import { PLOTS, pathOf, plotData, summaryOf } from './plots.ts';

const announces = PLOTS[0]!;

it('the scale ends at a round number', () => {
  const tops = [0, 1, 1.1, 2.5, 7, 10, 123_456].map(
    (value) => plotData(historyOf({ announcesHttp: [value], announcesUdp: [0] }), announces).top,
  );
  expect(tops).toEqual([1, 1, 2, 5, 10, 10, 200_000]);
});

it('a line goes from edge to edge', () => {
  expect(pathOf([0, 5, 10], 10, 400, 100)).toBe('M0.0 100.0L200.0 50.0L400.0 0.0');
  expect(pathOf([3], 10, 400, 100)).toBe('M0.0 70.0');
  expect(pathOf([], 10, 400, 100)).toBe('');
});

it('says in words what is drawn', () => {
  const data = plotData(historyOf({ announcesHttp: [1, 2, 3], announcesUdp: [0, 30, 0] }), announces);
  expect(summaryOf(announces, data)).toBe(
    'Announces per second, last hour. HTTP now 3.0, at most 3.0; UDP now 0, at most 30; WebSocket now 0, at most 0',
  );
  expect(summaryOf(announces, plotData(historyOf({}), announces))).toBe('Announces per second: nothing yet');
});
