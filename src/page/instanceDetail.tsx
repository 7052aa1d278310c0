import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import {
  type ActionCommand,
  actionCommands,
  type InstanceNow,
  type MinuteFigures,
  type ProviderStatus,
} from '../cli/ui/contract.ts';
import { RequestFailure, runAction } from './connection.ts';
import { Choice, ColumnHeads, Command, Facts, format, State, SuppliedFacts, Text } from './controls.tsx';
import { safeText } from './format.ts';
import { usePage } from './pageState.ts';
import { Legend, StackedBars } from './plot.tsx';

const MEGABYTE = 1_000_000;

/** What the row of an instance opens to. */
export function InstanceDetail({ instance }: { readonly instance: InstanceNow }) {
  const { status, figures, meaning } = instance;
  const { recent, today } = figures;
  const { models, requests, last_error: error } = status;
  const now = Date.now();
  return (
    <div class="columns">
      <div>
        <h3>Instance</h3>
        <Facts
          rows={[
            ['State', <Text key="meaning">{meaning}</Text>],
            ['Address', status.port === null ? '' : `${status.host ?? '127.0.0.1'}:${status.port}`],
            ['File', <code key="file">{status.env_file}</code>],
            ['Up', status.uptime_seconds === null ? '' : format.duration(status.uptime_seconds * 1000)],
            ['Restarts', status.restarts ? format.count(status.restarts) : ''],
            ['Memory', status.memory_bytes === null ? '' : `${format.count(status.memory_bytes / MEGABYTE)} MB`],
            ['Process', status.pid === null ? '' : String(status.pid)],
            ['Needs a restart', status.restart_needed.join(', ')],
          ]}
        />
      </div>
      <div>
        <h3>Models and provider</h3>
        <Facts
          rows={[
            ['Big', <Text key="big">{models.big}</Text>],
            ['Middle', <Text key="middle">{models.middle}</Text>],
            ['Small', <Text key="small">{models.small}</Text>],
            ['Key', <Text key="key">{status.key}</Text>],
            ...(status.providers ?? []).map(
              (provider, index) =>
                [provider.name ?? `provider ${index + 1}`, <Provider key="provider" {...provider} />] as const,
            ),
          ]}
        />
      </div>
      <div>
        <h3>Requests</h3>
        <Facts
          rows={[
            [
              'Today',
              today === null ? '' : `${format.count(today.requests)}, ${format.count(today.failed_requests)} failed`,
            ],
            ['Since its start', requests === null ? '' : format.count(requests.total)],
            ['Waiting', figures.waiting > 0 ? format.count(figures.waiting) : ''],
            ['Whole answer', latencyWords(recent?.duration_ms)],
            ['First event', latencyWords(recent?.first_event_ms)],
            ['Tokens in', recent === null ? '' : `${format.rate(recent.input_tokens_per_second)} /s`],
            ['Last success', status.last_success_at === null ? '' : format.time(status.last_success_at, now)],
            [
              'Last error',
              error === null ? (
                ''
              ) : (
                <span key="error">
                  {format.time(error.at, now)} {error.status} <Text>{error.message}</Text>
                </span>
              ),
            ],
          ]}
        />
      </div>
      <Supplied status={status} />
      <div class="all-columns">
        <LastHour minutes={instance.minutes} />
      </div>
    </div>
  );
}

/** What the instance supplies where its model or the model's server cannot; nothing where all of it is off. */
function Supplied({ status: { vision, unseen_pictures: unseen, web_search: search, tools } }: SuppliedProperties) {
  const failures = (failed: number | undefined) => (failed ? `, ${format.count(failed)} failed` : '');
  const rows = [
    [
      'Pictures',
      vision !== null ? (
        <span key="vision">
          described by <Text>{vision.model}</Text>: {format.count(vision.described ?? 0)}
          {failures(vision.failed)}
        </span>
      ) : unseen ? (
        `not seen by the model in ${format.count(unseen)} requests: VISION_MODEL (docs/VISION.md)`
      ) : (
        ''
      ),
    ],
    [
      'Web search',
      search?.back_end != null ? (
        <span key="search">
          by <Text>{search.back_end}</Text>: {format.count(search.searches ?? 0)}
          {failures(search.failed)}
          {search.last_failure != null && (
            <span class="faint">
              , last {format.time(search.last_failure.at, Date.now())} <Text>{search.last_failure.reason}</Text>
            </span>
          )}
        </span>
      ) : (
        ''
      ),
    ],
    [
      'Tools',
      tools?.most == null
        ? ''
        : `${format.count(tools.most)} at most${
            tools.limited_sessions
              ? `; ${format.count(tools.limited_sessions)} sessions had more, ${format.count(tools.left_out ?? 0)} left out of the latest request`
              : ''
          }`,
    ],
  ] as const;
  return <SuppliedFacts rows={rows} />;
}

interface SuppliedProperties {
  readonly status: InstanceNow['status'];
}

function latencyWords(latencies: { readonly p50: number | null; readonly p95: number | null } | undefined): string {
  if (latencies === undefined || latencies.p50 === null) return '';
  return `${format.duration(latencies.p50)}, 95 of 100 within ${format.duration(latencies.p95)}`;
}

function Provider({ circuit = 'closed', keys = [] }: ProviderStatus) {
  const resting = keys.filter(({ state }) => state === 'resting');
  return (
    <>
      <State tone={circuit === 'closed' ? 'good' : 'bad'}>
        {circuit === 'closed'
          ? 'asked'
          : circuit === 'open'
            ? 'not asked: its circuit is open'
            : 'tried again: its circuit is half-open'}
      </State>
      {resting.map(({ label, until, reason }) => (
        <div key={label}>
          <State tone="warn">
            <Text>{label}</Text> rests until {format.time(until, Date.now())}
          </State>{' '}
          <span class="faint">
            <Text>{reason}</Text>
          </span>
        </div>
      ))}
    </>
  );
}

const MINUTE_COLUMNS = [
  ['Minute', ''],
  ['Requests', 'number'],
  ['Failed', 'number'],
  ['Tokens out', 'number'],
] as const;

const SERIES = { requests: 'Requests', output_tokens: 'Tokens out' } as const;

/** The minutes as bars, what failed above what went well, and as a table. */
function LastHour({ minutes }: { readonly minutes: readonly MinuteFigures[] }) {
  const [series, setSeries] = useState<keyof typeof SERIES>('requests');
  const [pointed, setPointed] = useState<number>();
  // Equal figures are an equal plot: an event comes each second, and most of them change nothing here.
  const key = JSON.stringify(minutes);
  const labels = useMemo(() => minutes.map(({ at }) => minuteOf(at)), [key]);
  const layers = useMemo(
    () =>
      series === 'requests'
        ? [
            { name: 'ended well', values: minutes.map((minute) => minute.requests - minute.failed_requests) },
            { name: 'failed', values: minutes.map((minute) => minute.failed_requests) },
          ]
        : [{ name: 'tokens', values: minutes.map((minute) => minute.output_tokens) }],
    [key, series],
  );
  const minute = pointed === undefined ? undefined : minutes[pointed];
  return (
    <>
      <div class="title-line">
        <h3>Last 60 minutes</h3>
        <Choice<keyof typeof SERIES> label="What the bars show" options={SERIES} value={series} onChoose={setSeries} />
        <span class="faint" aria-hidden="true">
          {minute === undefined
            ? 'per minute'
            : `${minuteOf(minute.at)}: ${format.count(minute.requests)} requests, ${format.count(minute.failed_requests)} failed, ${format.count(minute.output_tokens)} tokens out`}
        </span>
      </div>
      <StackedBars
        description={`${SERIES[series]} in each of the last 60 minutes; the table below has the figures`}
        labels={labels}
        layers={layers}
        format={format.compact}
        onPoint={setPointed}
      />
      <Legend layers={layers} figure={(layer) => format.count(layer.values.reduce((sum, value) => sum + value, 0))} />
      <details>
        <summary>The same as a table</summary>
        <div class="table-frame scrolls">
          <table>
            <thead>
              <tr>
                <ColumnHeads columns={MINUTE_COLUMNS} />
              </tr>
            </thead>
            <tbody>
              {minutes.toReversed().map((row) => (
                <tr key={row.at}>
                  <td>{minuteOf(row.at)}</td>
                  <td class="number">{format.count(row.requests)}</td>
                  <td class="number">{format.count(row.failed_requests)}</td>
                  <td class="number">{format.count(row.output_tokens)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function minuteOf(at: string): string {
  return clock.format(new Date(at));
}

/** A command that waits for its confirmation, or runs. */
export interface ActionPlan {
  readonly command: ActionCommand;
  readonly instance: InstanceNow;
}

const TITLES: Readonly<Record<ActionCommand, string>> = {
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  reload: 'Reload',
  test: 'Test',
};

/** What will happen, before it is confirmed. */
const CONSEQUENCES: Readonly<Record<ActionCommand, string>> = {
  start: 'Its process is started and kept running.',
  stop: 'Running answers are ended first, for as long as DRAIN_SECONDS says. Then nobody is served until it is started again.',
  restart: 'Running answers are ended first, then it starts anew. Meanwhile requests are not served.',
  reload: 'New processes take over the port, then the old ones end their running answers. No request is lost.',
  test: 'Its provider is asked a few small questions. That may cost a fraction of a cent.',
};

interface ActionsProperties {
  readonly instance: InstanceNow;
  onAct(command: ActionCommand): void;
}

/** The commands that make sense in the present state; they ask before they run. */
export function InstanceActions({ instance, onAct }: ActionsProperties) {
  const { connection } = usePage();
  const isRunning = instance.status.pid !== null;
  const offered = actionCommands.filter((command) => {
    if (command === 'start') return !isRunning;
    return command === 'test' || isRunning;
  });
  const busy = instance.action !== null || connection !== 'live';
  return (
    <fieldset class="buttons" aria-label={`Commands for ${safeText(instance.name)}`}>
      {offered.map((command) => (
        <button type="button" key={command} disabled={busy} onClick={() => onAct(command)}>
          {TITLES[command]}…
        </button>
      ))}
      {instance.action !== null && <span class="faint">{instance.action} is running</span>}
      <a class="push" href={`#requests?instance=${encodeURIComponent(instance.name)}`}>
        Its requests
      </a>
    </fieldset>
  );
}

type Progress =
  | { readonly step: 'asking' }
  | { readonly step: 'running'; readonly lines: readonly string[] }
  | { readonly step: 'ended'; readonly lines: readonly string[]; readonly exitCode: number }
  | { readonly step: 'failed'; readonly lines: readonly string[]; readonly reason: string };

/** Asks whether it is meant, runs it, and shows what it writes as it writes it. */
export function RunAction({ plan, onClose }: { readonly plan: ActionPlan; onClose(): void }) {
  const { command, instance } = plan;
  const dialog = useRef<HTMLDialogElement>(null);
  const output = useRef<HTMLPreElement>(null);
  const [progress, setProgress] = useState<Progress>({ step: 'asking' });
  const words = `./manage ${command} ${instance.name}`;
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => output.current?.scrollTo({ top: output.current.scrollHeight }), [progress]);

  const run = async () => {
    let lines: readonly string[] = [];
    setProgress({ step: 'running', lines });
    try {
      for await (const part of runAction({ command, instance: instance.name })) {
        if ('line' in part) {
          lines = [...lines, part.line];
          setProgress({ step: 'running', lines });
        } else return setProgress({ step: 'ended', lines, exitCode: part.exit_code });
      }
      setProgress({
        step: 'failed',
        lines,
        reason: 'The connection has ended; the command goes on without this page.',
      });
    } catch (error) {
      const reason =
        error instanceof RequestFailure
          ? error.message
          : 'The connection has broken; the command goes on without this page.';
      setProgress({ step: 'failed', lines, reason });
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="action-title" onClose={onClose}>
      <h2 id="action-title">
        {TITLES[command]} <Text>{instance.name}</Text>
        {progress.step === 'asking' && '?'}
      </h2>
      {progress.step === 'asking' ? (
        <>
          <p>{CONSEQUENCES[command]}</p>
          <p class="faint">
            The same as <Command>{words}</Command>
          </p>
        </>
      ) : (
        <>
          <Outcome progress={progress} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what can be scrolled has to be reached by the keyboard */}
          <pre class="output" ref={output} role="log" aria-label={`What ${words} writes`} tabIndex={0}>
            {progress.lines.map(safeText).join('\n')}
          </pre>
        </>
      )}
      <div class="buttons">
        {progress.step === 'asking' && (
          <button type="button" class="main" onClick={run}>
            {TITLES[command]}
          </button>
        )}
        <button type="button" onClick={() => dialog.current?.close()}>
          {progress.step === 'asking' ? 'Cancel' : progress.step === 'running' ? 'Close, and let it run' : 'Close'}
        </button>
      </div>
    </dialog>
  );
}

function Outcome({ progress }: { readonly progress: Exclude<Progress, { step: 'asking' }> }) {
  switch (progress.step) {
    case 'running':
      return <State tone="faint">running…</State>;
    case 'failed':
      return (
        <State tone="bad">
          <Text>{progress.reason}</Text>
        </State>
      );
    default:
      return progress.exitCode === 0 ? (
        <State tone="good">done</State>
      ) : (
        <State tone="bad">ended with exit code {progress.exitCode}</State>
      );
  }
}
