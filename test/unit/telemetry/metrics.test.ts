import { describe, expect, test } from 'vitest';
import { BoundedNames, Counter, formatFigure, Histogram } from '../../../src/telemetry/metrics.ts';

test('a counter has a line per set of labels, below its help and type', () => {
  const counter = new Counter('requests_total', 'Requests\nthat ended, with a \\.');
  counter.add({ status: 200 });
  counter.add({ status: 200 });
  counter.add({ status: 500 }, 3);
  expect(counter.format()).toBe(
    [
      '# HELP requests_total Requests\\nthat ended, with a \\\\.',
      '# TYPE requests_total counter',
      'requests_total{status="200"} 2',
      'requests_total{status="500"} 3',
      '',
    ].join('\n'),
  );
});

test('label values are escaped, so that no name can forge a line', () => {
  const counter = new Counter('requests_total', 'Requests.');
  counter.add({ model: 'a"} 1\nup{x="\\' });
  expect(counter.format().split('\n')[2]).toBe('requests_total{model="a\\"} 1\\nup{x=\\"\\\\"} 1');
});

test('control characters and marks of direction in a label are shown, so that a terminal can show the page', () => {
  const counter = new Counter('requests_total', 'Requests.');
  counter.add({ model: '\x1b[2J\r\x9b\u202e' });
  expect(counter.format().split('\n')[2]).toBe('requests_total{model="\\\\x1b[2J\\\\x0d\\\\x9b\\\\u202e"} 1');
});

test('names are bounded in number and length', () => {
  const names = new BoundedNames(2);
  expect(['a', 'b'.repeat(1000), 'c', 'a'].map((name) => names.of(name))).toEqual(['a', 'b'.repeat(200), 'other', 'a']);
});

test('a figure without labels has no braces', () => {
  expect(formatFigure('gauge', 'in_flight', 'Now.', [[{}, 3]])).toBe(
    '# HELP in_flight Now.\n# TYPE in_flight gauge\nin_flight 3\n',
  );
});

describe('a histogram', () => {
  test('counts each value in every bucket that holds it, its bound included', () => {
    const histogram = new Histogram('seconds', 'Time.', [1, 5]);
    for (const value of [0.5, 1, 3, 7]) histogram.observe({ tier: 'big' }, value);
    expect(histogram.format().split('\n').slice(2)).toEqual([
      'seconds_bucket{tier="big",le="1"} 2',
      'seconds_bucket{tier="big",le="5"} 3',
      'seconds_bucket{tier="big",le="+Inf"} 4',
      'seconds_sum{tier="big"} 11.5',
      'seconds_count{tier="big"} 4',
      '',
    ]);
  });

  test('keeps sets of labels apart', () => {
    const histogram = new Histogram('seconds', 'Time.', [1]);
    histogram.observe({ tier: 'big' }, 0.5);
    histogram.observe({ tier: 'small' }, 2);
    expect(histogram.format()).toContain('seconds_bucket{tier="small",le="1"} 0\n');
    expect(histogram.format()).toContain('seconds_count{tier="big"} 1\n');
  });
});
