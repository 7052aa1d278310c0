import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { safeText } from './format.ts';

/** One layer of the bars. */
export interface Layer {
  readonly name: string;
  /** One for each bar. */
  readonly values: readonly number[];
}

/** So many layers have a colour of their own; what is more is put together by who makes them. */
export const LAYER_COLOURS = 8;

const PLOT_HEIGHT = 224;
/** Columns that a label below a bar takes, in pixels of CSS. */
const LABEL_WIDTH = 64;

const variable = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The sums up to each layer, the whole first: each is drawn over the one before it, so that the bars look stacked. */
export function stackLayers(layers: readonly Layer[], bars: number): number[][] {
  const sums: number[][] = [];
  let below: readonly number[] = Array.from({ length: bars }, () => 0);
  for (const { values } of layers) {
    const sum = below.map((value, index) => value + (values[index] ?? 0));
    sums.unshift(sum);
    below = sum;
  }
  return sums;
}

/** The choice of the system, followed while the page is open. */
function useColourScheme(): string {
  const query = matchMedia('(prefers-color-scheme: dark)');
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const follow = () => setDark(query.matches);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  return isDark ? 'dark' : 'light';
}

interface BarsProperties {
  /** What is to be seen, for those who do not see it; the same is in a table beside. */
  readonly description: string;
  /** One for each bar. */
  readonly labels: readonly string[];
  readonly layers: readonly Layer[];
  format(value: number): string;
  /** Of the bar under the pointer, or undefined. */
  onPoint(index: number | undefined): void;
}

/** Stacked bars. A table with the same figures belongs beside it. */
export function StackedBars({ description, labels, layers, format, onPoint }: BarsProperties) {
  const container = useRef<HTMLDivElement>(null);
  const scheme = useColourScheme();
  useLayoutEffect(() => {
    const element = container.current;
    if (element === null) return;
    const data: uPlot.AlignedData = [labels.map((_, index) => index), ...stackLayers(layers, labels.length)];
    const plot = new uPlot(barOptions(element.clientWidth, labels, layers, format, onPoint), data, element);
    const observer = new ResizeObserver(() => {
      if (element.clientWidth !== plot.width && element.clientWidth > 0) {
        plot.setSize({ width: element.clientWidth, height: PLOT_HEIGHT });
      }
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [labels, layers, format, onPoint, scheme]);
  return <div class="plot" ref={container} role="img" aria-label={description} />;
}

function barOptions(
  width: number,
  labels: readonly string[],
  layers: readonly Layer[],
  format: BarsProperties['format'],
  onPoint: BarsProperties['onPoint'],
): uPlot.Options {
  const faint = variable('--faint');
  const line = variable('--line');
  const font = `12px ${variable('--font')}`;
  const bars = uPlot.paths.bars?.({ size: [0.72, 48], align: 0 });
  const axis = { stroke: faint, font, ticks: { show: false } } as const;
  return {
    width,
    height: PLOT_HEIGHT,
    padding: [12, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [-0.5, Math.max(labels.length, 1) - 0.5] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] },
    },
    series: [
      {},
      ...layers
        .map((_layer, index) => ({
          fill: variable(`--layer-${index % LAYER_COLOURS}`),
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars }),
        }))
        .reverse(),
    ],
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        splits: () => {
          const step = Math.max(1, Math.ceil((labels.length * LABEL_WIDTH) / Math.max(width - 64, LABEL_WIDTH)));
          return labels.map((_, index) => index).filter((index) => (labels.length - 1 - index) % step === 0);
        },
        values: (_plot, splits) => splits.map((index) => labels[index] ?? ''),
      },
      {
        ...axis,
        grid: { stroke: line, width: 1 },
        size: 64,
        values: (_plot, splits) => splits.map((value) => format(value)),
      },
    ],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
}

/** What the colours of the bars stand for, each with a figure. */
export function Legend({ layers, figure }: { readonly layers: readonly Layer[]; figure(layer: Layer): string }) {
  return (
    <ul class="legend" aria-hidden="true">
      {layers.map((layer, index) => (
        <li key={layer.name}>
          <span class={`swatch layer-${index % LAYER_COLOURS}`} />
          <bdi>{safeText(layer.name)}</bdi> <b>{figure(layer)}</b>
        </li>
      ))}
    </ul>
  );
}

const SPARK_WIDTH = 120;
const SPARK_HEIGHT = 24;

/** The points of a line for `values`, from the left to the right of the box; a flat line at its foot when all are 0. */
export function sparkPoints(values: readonly number[], width = SPARK_WIDTH, height = SPARK_HEIGHT): string {
  const highest = Math.max(...values, 0) || 1;
  const step = width / Math.max(1, values.length - 1);
  const place = (value: number) => height - 1.5 - (value / highest) * (height - 3);
  return values.map((value, index) => `${(index * step).toFixed(1)},${place(value).toFixed(1)}`).join(' ');
}

/** A line without axes, one point a minute. */
export function Sparkline({
  values,
  description,
}: {
  readonly values: readonly number[];
  readonly description: string;
}) {
  const points = sparkPoints(values);
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={description}
    >
      <polygon points={`0,${SPARK_HEIGHT} ${points} ${SPARK_WIDTH},${SPARK_HEIGHT}`} />
      <polyline points={points} />
    </svg>
  );
}
