import { type Circuit, type InstanceSample, NO_RECENT_USAGE } from '../../../src/cli/top/sample.ts';
import { topFrame } from '../../../src/cli/top/topView.ts';
import { NO_USAGE } from '../../../src/telemetry/usage/totals.ts';
import { PICTURE_TIME, paint, sampleInstances } from './sampleInstances.ts';
import { terminalPicture } from './terminalPicture.ts';

const COLUMNS = 126;
const ROWS = 24;

interface Figure {
  /** Of the last minute. */
  readonly requests: number;
  readonly outputTokens: number;
  readonly inFlight: number;
  /** In ms, of the first events; whole answers take longer by `answering`. */
  readonly firstEvents: readonly number[];
  readonly answering: number;
  readonly today: { readonly requests: number; readonly failed: number; readonly cost: number };
  readonly circuit: string;
}

/** What the instances have done, in their order; the one without does not run. */
const figures: readonly (Figure | undefined)[] = [
  {
    ...{ requests: 1, outputTokens: 38, inFlight: 0, firstEvents: [3, 4], answering: 340 },
    ...{ today: { requests: 12, failed: 0, cost: 0 }, circuit: 'closed' },
  },
  {
    ...{ requests: 9, outputTokens: 4310, inFlight: 1, firstEvents: [610, 700, 1840], answering: 5200 },
    ...{ today: { requests: 318, failed: 0, cost: 1.84 }, circuit: 'closed' },
  },
  {
    ...{ requests: 31, outputTokens: 16_900, inFlight: 4, firstEvents: [480, 530, 590, 2300], answering: 7400 },
    ...{ today: { requests: 1904, failed: 2, cost: 6.12 }, circuit: 'closed' },
  },
  {
    ...{ requests: 12, outputTokens: 7250, inFlight: 2, firstEvents: [820, 900, 3100], answering: 11_800 },
    ...{ today: { requests: 466, failed: 1, cost: 4.37 }, circuit: 'open' },
  },
  undefined,
];

function rowOf(name: string, figure: Figure | undefined): InstanceSample {
  if (figure === undefined) {
    return { name, state: 'not running', inFlight: 0, waiting: 0, circuits: [], recent: NO_RECENT_USAGE };
  }
  const { requests, outputTokens, inFlight, firstEvents, answering, today, circuit } = figure;
  const circuits: readonly Circuit[] = [{ provider: undefined, state: circuit }];
  const durations = firstEvents.map((time) => time + answering);
  const recent = { requests, inputTokens: 0, outputTokens, firstEvents, durations, today: { ...NO_USAGE, ...today } };
  return { name, state: 'serving', inFlight, waiting: 0, circuits, recent };
}

/** docs/pictures/top.svg: one moment of `./manage top`. */
export function topPicture(): string {
  const rows = sampleInstances().map(({ name }, index) => rowOf(name, figures[index]));
  const frame = topFrame(rows, PICTURE_TIME, paint, { columns: COLUMNS, rows: ROWS });
  return terminalPicture('./manage top', frame, COLUMNS);
}
