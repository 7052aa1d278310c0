import { useMemo, useState } from 'preact/hooks';
import type { UsageAnswer, UsageFigures, UsageLine } from '../cli/ui/records.ts';
import { Choice, ColumnHeads, Command, CsvButton, Empty, format, ReadingNotices, Text, Waiting } from './controls.tsx';
import { useAddress, useAnswer, usePage } from './pageState.ts';
import { LAYER_COLOURS, type Layer, Legend, StackedBars } from './plot.tsx';
import { Select } from './requestFilters.tsx';
import {
  cacheShare,
  groupings,
  groupName,
  layersOf,
  type Measure,
  machines,
  measures,
  periods,
  type RangeName,
  ranges,
  readChoices,
} from './usageFigures.ts';

/** Tokens and money over time, and what they went to. */
export function UsageView() {
  const [{ choices }, choose] = useAddress();
  const { now } = usePage();
  const chosen = readChoices(choices, Date.now());
  const { by, period, from, to, instance, measure, machines: summed } = chosen;
  const range = { by, period, from, to, instance, compare: chosen.compares ? '1' : '' };
  const { answer, failure, isLoading } = useAnswer<UsageAnswer>(
    '/api/usage',
    { ...range, machines: summed === 'all' ? summed : '' },
    true,
  );
  const names = now?.instances.map(({ name }) => name) ?? [];
  return (
    <>
      <search class="filters">
        <Choice<RangeName | ''>
          label="Range"
          options={ranges as Readonly<Record<RangeName | '', string>>}
          value={chosen.isOwn ? '' : chosen.range}
          onChoose={(range) => choose({ range, from: '', to: '' })}
        />
        <label>
          From
          <input
            type="date"
            value={from}
            max={to}
            onChange={({ currentTarget }) => choose({ from: currentTarget.value, to })}
          />
        </label>
        <label>
          To
          <input
            type="date"
            value={to}
            min={from}
            onChange={({ currentTarget }) => choose({ from, to: currentTarget.value })}
          />
        </label>
        <Select label="By" value={by} options={groupings} onChange={(value) => choose({ by: value })} />
        <Select label="Bars" value={chosen.period} options={periods} onChange={(value) => choose({ period: value })} />
        <Select
          label="Instance"
          value={instance}
          options={Object.fromEntries([['', 'all'], ...names.map((name) => [name, name])])}
          onChange={(value) => choose({ instance: value })}
        />
        {(answer?.has_database || summed === 'all') && (
          <Select
            label="Machines"
            value={summed}
            options={machines}
            onChange={(value) => choose({ machines: value === 'this' ? '' : value })}
          />
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={chosen.compares}
            onChange={({ currentTarget }) => choose({ compare: currentTarget.checked ? '' : '0' })}
          />
          Compare with the range before
        </label>
      </search>
      <ReadingNotices failure={failure} unreadable={answer?.unreadable} missing="Not in the figures" />
      {answer === undefined ? (
        failure === undefined && <Waiting>Adding up…</Waiting>
      ) : (
        <div aria-busy={isLoading}>
          <UsageOf
            answer={answer}
            measure={measure}
            onMeasure={(value) => choose({ measure: value })}
            instance={instance}
          />
        </div>
      )}
    </>
  );
}

interface UsageProperties {
  readonly answer: UsageAnswer;
  readonly measure: Measure;
  readonly instance: string;
  onMeasure(measure: Measure): void;
}

function UsageOf({ answer, measure, onMeasure, instance }: UsageProperties) {
  const { lines, total, before, first_day: first, last_day: last } = answer;
  if (lines.length === 0) {
    return (
      <Empty title="Nothing was used in this range">
        <p>Choose a longer range, or use an instance; what it serves is counted within a second.</p>
        <Command>./manage run demo</Command>
      </Empty>
    );
  }
  return (
    <>
      <Totals total={total} before={before?.total ?? null} />
      <UsagePlot answer={answer} measure={measure} onMeasure={onMeasure} />
      <section aria-labelledby="lines-title">
        <div class="title-line">
          <h3 id="lines-title">
            {rangeWords(first, last)}
            {answer.machines === 'all' && ', all machines that share the database'}
            {before !== null && (
              <span class="faint">, compared with {rangeWords(before.first_day, before.last_day)}</span>
            )}
          </h3>
          <CsvButton
            query={{ by: answer.by, from: first, to: last, instance, machines: answer.machines }}
            name={`usage-by-${answer.by}-${first}-${last}.csv`}
          />
        </div>
        <UsageTable answer={answer} />
        <Beside total={total} />
        {total.unpriced_requests > 0 && (
          <p class="below faint">
            ? is what {format.count(total.unpriced_requests)} requests cost whose price is not known; PRICES_FILE takes
            prices of your own.
          </p>
        )}
      </section>
    </>
  );
}

/** What is in the figures beside the requests of clients, and what is not in the cost. */
function Beside({ total }: { readonly total: UsageFigures }) {
  const { health_checks: checks, side_calls: calls, web_searches: searches, search_cost_usd: cost } = total;
  const countOf = (count: number, noun: string, nouns: string) =>
    `${format.count(count)} ${count === 1 ? noun : nouns}`;
  const parts = [
    ...(checks > 0 ? [`${countOf(checks, 'health check', 'health checks')} of the instances`] : []),
    ...(calls > 0 ? [`${countOf(calls, 'question', 'questions')} to side models, which describe pictures`] : []),
  ];
  if (parts.length === 0 && searches === 0) return null;
  return (
    <p class="below faint">
      {parts.length > 0 && `Tokens and cost are also those of ${parts.join(' and ')}. `}
      {searches > 0 && `Beside that, ${countOf(searches, 'search', 'searches')} of the web cost ${format.money(cost)}.`}
    </p>
  );
}

function rangeWords(first: string, last: string): string {
  const year = new Date().getFullYear();
  return first === last ? format.day(first, year) : `${format.day(first, year)} – ${format.day(last, year)}`;
}

function Totals({ total, before }: { readonly total: UsageFigures; readonly before: UsageFigures | null }) {
  const figures: readonly (readonly [string, string, number | null, number | null])[] = [
    [
      'Cost',
      format.partlyKnownMoney(total.cost_usd, total.unpriced_requests),
      total.cost_usd,
      before?.cost_usd ?? null,
    ],
    ['Requests', format.count(total.requests), total.requests, before?.requests ?? null],
    ['Failed', format.count(total.failed_requests), total.failed_requests, before?.failed_requests ?? null],
    ['Tokens in', format.compact(total.input_tokens), total.input_tokens, before?.input_tokens ?? null],
    ['Tokens out', format.compact(total.output_tokens), total.output_tokens, before?.output_tokens ?? null],
  ];
  const [share, shareBefore] = [cacheShare(total), before && cacheShare(before)];
  return (
    <dl class="figures" aria-label="All together">
      {figures.map(([name, words, value, earlier]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {words} {earlier !== null && earlier > 0 && <small>{format.change(value, earlier)}</small>}
          </dd>
        </div>
      ))}
      <div>
        <dt>From the cache</dt>
        <dd>
          {format.percent(share)} {shareBefore !== null && <small>{`was ${format.percent(shareBefore)}`}</small>}
        </dd>
      </div>
    </dl>
  );
}

const WRITERS: Readonly<Record<Measure, (value: number) => string>> = {
  cost: (value) => format.money(value, 2),
  input: format.compact,
  output: format.compact,
  requests: format.compact,
  cache: format.percent,
};

function UsagePlot({ answer, measure, onMeasure }: Omit<UsageProperties, 'instance'>) {
  const { series, period } = answer;
  const [pointed, setPointed] = useState<number>();
  const layers = useMemo(() => layersOf(series, measure), [series, measure]);
  const labels = useMemo(
    () => series.periods.map(period === 'month' ? format.month : (day) => format.day(day)),
    [series, period],
  );
  const write = WRITERS[measure];
  const sum = (layer: Layer) => layer.values.reduce((all, value) => all + value, 0);
  const figureOf = (layer: Layer) => (pointed === undefined ? sum(layer) : (layer.values[pointed] ?? 0));
  const isSum = measure !== 'cache';
  const isUnpriced = (group: UsageAnswer['series']['groups'][number] | undefined) =>
    measure === 'cost' &&
    (pointed === undefined ? group?.unpriced_requests.some(Boolean) : group?.unpriced_requests[pointed]);
  const figureWords = (layer: Layer) => {
    const figure = figureOf(layer);
    const group = series.groups[layers.indexOf(layer)];
    return figure === 0 && isUnpriced(group) ? '?' : write(figure);
  };
  const unknown = series.groups.some(isUnpriced) ? ' + ?' : '';
  const isEmpty = layers.every((layer) => sum(layer) === 0);
  const title = pointed === undefined ? 'in the whole range' : (labels[pointed] ?? '');
  return (
    <section class="panel plot-panel" aria-label={`${measures[measure]} by ${period}`}>
      <div class="title-line">
        <Choice<Measure> label="What the bars show" options={measures} value={measure} onChoose={onMeasure} />
        <span class="faint push" aria-hidden="true">
          {isSum || pointed !== undefined ? title : ''}
          {isSum && <b> {write(layers.reduce((all, layer) => all + figureOf(layer), 0)) + unknown}</b>}
          {!isSum && pointed !== undefined && <b> {write(layers[0]?.values[pointed] ?? 0)}</b>}
        </span>
      </div>
      {isEmpty ? (
        <p class="no-bars faint">
          {measure === 'cost' ? 'No price is known of what was used.' : 'None in this range.'}
        </p>
      ) : (
        <StackedBars
          description={`${measures[measure]} by ${period} from ${labels[0]} to ${labels.at(-1)}; the table below has the figures`}
          labels={labels}
          layers={layers}
          format={write}
          onPoint={setPointed}
        />
      )}
      {isSum && <Legend layers={layers} figure={figureWords} />}
      <details>
        <summary>The bars as a table</summary>
        <div class="table-frame scrolls">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by the keyboard */}
          <table tabIndex={0} aria-label={`${measures[measure]} by ${period}`}>
            <thead>
              <tr>
                <th scope="col">{periods[period]}</th>
                {layers.map((layer) => (
                  <th scope="col" class="number" key={layer.name}>
                    <Text>{layer.name}</Text>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {labels.map((label, index) => (
                <tr key={series.periods[index]}>
                  <th scope="row">{label}</th>
                  {layers.map((layer) => (
                    <td class="number" key={layer.name}>
                      {write(layer.values[index] ?? 0)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  );
}

/** Those of the bars have the colour of their layer. */
function swatchOf(line: UsageLine, { series }: UsageAnswer): string {
  const index = series.groups.findIndex(({ group }) => group === line.group);
  const last = LAYER_COLOURS - 1;
  const isTogether = index < 0 || (series.groups.length > LAYER_COLOURS && index >= last);
  return `swatch layer-${isTogether ? last : index}`;
}

/** Thousands of sessions would keep the browser busy for seconds. */
const LINES_AT_ONCE = 200;

/** The columns behind what is summed up. */
const LINE_COLUMNS = [
  ['Requests', 'number'],
  ['Failed', 'number middle'],
  ['Tokens in', 'number middle'],
  ['Cached', 'number wide'],
  ['Tokens out', 'number middle'],
  ['Reasoning', 'number wide'],
  ['Cost', 'number'],
] as const;

function UsageTable({ answer }: { readonly answer: UsageAnswer }) {
  const { lines, total, before, by } = answer;
  const [limit, setLimit] = useState(LINES_AT_ONCE);
  // Sessions stand in the order of time, all others the dearest first.
  const shown = by === 'session' ? lines.slice(-limit) : lines.slice(0, limit);
  const earlier = new Map(before?.lines.map((line) => [line.group, line]));
  return (
    <>
      <div class="table-frame">
        <table class="usage">
          <thead>
            <tr>
              <ColumnHeads columns={[[groupings[by as keyof typeof groupings] ?? by, ''], ...LINE_COLUMNS]} />
              {before !== null && <ColumnHeads columns={[['Change', 'number middle']]} />}
            </tr>
          </thead>
          <tbody>
            {shown.map((line) => (
              <tr key={line.group}>
                <th scope="row" class="clip">
                  <span class={swatchOf(line, answer)} aria-hidden="true" /> <Text>{groupName(line)}</Text>
                </th>
                <Cells figures={line} />
                {before !== null && (
                  <td class="number middle faint">
                    {format.change(line.cost_usd, earlier.get(line.group)?.cost_usd ?? null)}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">All</th>
              <Cells figures={total} />
              {before !== null && <td class="number middle">{format.change(total.cost_usd, before.total.cost_usd)}</td>}
            </tr>
          </tfoot>
        </table>
      </div>
      {shown.length < lines.length && (
        <p class="below faint">
          {`${by === 'session' ? 'The latest' : 'The first'} ${format.count(shown.length)} of ${format.count(lines.length)}; the CSV has all. `}
          <button type="button" onClick={() => setLimit(limit + LINES_AT_ONCE)}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

function Cells({ figures }: { readonly figures: UsageFigures }) {
  const { failed_requests: failed } = figures;
  return (
    <>
      <td class="number">{format.count(figures.requests)}</td>
      <td class={failed > 0 ? 'number middle bad' : 'number middle'}>{format.count(failed)}</td>
      <td class="number middle">{format.count(figures.input_tokens)}</td>
      <td class="number wide">{format.percent(cacheShare(figures))}</td>
      <td class="number middle">{format.count(figures.output_tokens)}</td>
      <td class="number wide">{format.count(figures.reasoning_tokens)}</td>
      <td class="number">{format.partlyKnownMoney(figures.cost_usd, figures.unpriced_requests)}</td>
    </>
  );
}
