import { expect, test } from 'vitest';
import type { Subject } from '../../../bench/processes/subject.ts';
import { LONG, openLoadStage } from '../../helpers/loadStage.ts';
import { runStreams, type StreamFigures } from '../../helpers/runStreams.ts';

interface Row {
  readonly name: string;
  readonly instances: number;
  /** Of each instance. */
  readonly streams: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly peakMib: number;
}

const rows: readonly Row[] = [
  { name: 'L1', instances: 1, streams: 1000, perSecond: 20, seconds: 60, peakMib: 250 },
  { name: 'L2', instances: 1, streams: 2000, perSecond: 5, seconds: 30, peakMib: 280 },
  { name: 'L3', instances: 4, streams: 250, perSecond: 20, seconds: 30, peakMib: 250 },
];
const ANSWER_SECONDS = 5;
const MEDIAN_MAX_MS = 2;
const P99_MAX_MS = 30;
const CORES_MAX = 0.75;

const describeFigures = ({ p50, p99, peakMib, cores }: StreamFigures) =>
  `one way p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(1)} ms, ${peakMib.toFixed(0)} MiB, ${(cores * 100).toFixed(0)} % of a core`;

test.each(rows)(
  '$name $instances × $streams streams at the same time: no event is lost, doubled or out of its order',
  {
    timeout: 300_000,
  },
  async ({ name, instances, streams, perSecond, seconds, peakMib }) => {
    const stage = await openLoadStage();
    const order = { deltas: LONG ? perSecond * ANSWER_SECONDS : 10, everyMs: 1000 / perSecond };
    const rounds = LONG ? seconds / ANSWER_SECONDS : 1;
    const load = { streams: LONG ? streams : streams / 10, rounds, order };
    const direct = LONG
      ? await runStreams([await stage.direct()], { ...load, streams: streams * instances })
      : undefined;
    const subjects: Subject[] = [];
    for (let index = 0; index < instances; index += 1) subjects.push(await stage.proxy());
    const figures = await runStreams(subjects, load);
    if (direct === undefined) return;
    console.info(`${name}: direct ${describeFigures(direct)}; through the proxy ${describeFigures(figures)}`);
    expect(figures.p50 - direct.p50).toBeLessThanOrEqual(MEDIAN_MAX_MS);
    expect(figures.p99 - direct.p99).toBeLessThanOrEqual(P99_MAX_MS);
    expect(figures.peakMib).toBeLessThanOrEqual(peakMib);
    expect(figures.cores).toBeLessThanOrEqual(CORES_MAX);
  },
);
