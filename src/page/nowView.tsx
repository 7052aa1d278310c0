import { useState } from 'preact/hooks';
import type { ActionCommand, Figures, InstanceNow } from '../cli/ui/contract.ts';
import { ColumnHeads, Command, Empty, format, Opener, State, Text, TONES, Waiting } from './controls.tsx';
import { splitRemedy } from './format.ts';
import { type ActionPlan, InstanceActions, InstanceDetail, RunAction } from './instanceDetail.tsx';
import { usePage, useShownColumns } from './pageState.ts';
import { Sparkline } from './plot.tsx';

/** All instances as they are at this moment. */
export function NowView() {
  const { now } = usePage();
  const [plan, setPlan] = useState<ActionPlan>();
  if (now === undefined) return <Waiting>Asking the instances…</Waiting>;
  if (now.instances.length === 0) {
    return (
      <Empty title="There are no instances yet">
        <p>An instance serves one provider on one port. Set up the first one in a terminal:</p>
        <Command>./manage init</Command>
      </Empty>
    );
  }
  const act = (command: ActionCommand, instance: InstanceNow) => setPlan({ command, instance });
  return (
    <>
      <Totals instances={now.instances} total={now.total} />
      <Problems />
      <section aria-labelledby="instances-title">
        <div class="title-line">
          <h3 id="instances-title">Instances</h3>
          <span class="faint push">
            Per second: last minute. First event: last 5 minutes, in half and in 95 of 100 requests.
          </span>
        </div>
        <InstanceTable instances={now.instances} onAct={act} />
      </section>
      {plan !== undefined && <RunAction plan={plan} onClose={() => setPlan(undefined)} />}
    </>
  );
}

function Totals({ instances, total }: { readonly instances: readonly InstanceNow[]; readonly total: Figures }) {
  const ready = instances.filter(({ severity }) => severity === 'good').length;
  const { recent, today } = total;
  const figures: readonly (readonly [string, string, string?])[] = [
    ['Ready', `${ready}`, `of ${instances.length}`],
    ['Requests', format.rate(recent?.requests_per_second), '/s'],
    ['Tokens out', format.rate(recent?.output_tokens_per_second), '/s'],
    ['In flight', format.count(total.in_flight), total.waiting > 0 ? `+ ${total.waiting} waiting` : ''],
    ['Requests today', format.count(today?.requests)],
    ['Failed today', format.count(today?.failed_requests), failedShare(today)],
    ['Cost today', today ? format.money(today.cost_usd, 2) : format.count(null), unpricedWords(today)],
  ];
  return (
    <dl class="figures" aria-label="All instances together">
      {figures.map(([name, value, unit = '']) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value} {unit !== '' && <small>{unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function failedShare(today: Figures['today']): string {
  return today && today.failed_requests > 0 ? format.percent(today.failed_requests / today.requests) : '';
}

function unpricedWords(today: Figures['today']): string {
  return today && today.unpriced_requests > 0 ? '+ ?' : '';
}

function Problems() {
  const problems = usePage().now?.problems ?? [];
  if (problems.length === 0) return null;
  return (
    <section aria-labelledby="problems-title">
      <div class="title-line">
        <h3 id="problems-title">Problems</h3>
      </div>
      <ul class="problems panel">
        {problems.map(({ instance, severity, problem, remedy }) => {
          const { words, command } = splitRemedy(remedy);
          return (
            <li key={`${instance} ${problem}`}>
              <State tone={TONES[severity]}>
                <strong>
                  <Text>{instance ?? 'this machine'}</Text>
                </strong>
              </State>
              <div>
                <Text>{problem}</Text>
                {words !== '' && (
                  <span class="faint">
                    {' '}
                    <Text>{words}</Text>
                  </span>
                )}
              </div>
              {command !== undefined && <Command>{command}</Command>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface TableProperties {
  readonly instances: readonly InstanceNow[];
  onAct(command: ActionCommand, instance: InstanceNow): void;
}

/** Of columns that a narrow window leaves out. */
const COLUMNS = [
  ['Instance', ''],
  ['State', ''],
  ['Models', 'wide'],
  ['Requests/s', 'number'],
  ['Tokens/s', 'number middle'],
  ['In flight', 'number middle'],
  ['First p50', 'number middle'],
  ['p95', 'number wide'],
  ['Failed today', 'number middle'],
  ['Cost today', 'number narrow-off'],
  ['Last 60 minutes', 'wide'],
] as const;
const COLUMN_CLASSES = COLUMNS.map(([, names]) => names);

function InstanceTable({ instances, onAct }: TableProperties) {
  const [open, setOpen] = useState<string>();
  const columns = useShownColumns(COLUMN_CLASSES);
  return (
    <div class="table-frame">
      <table class="instances">
        <thead>
          <tr>
            <ColumnHeads columns={COLUMNS} />
          </tr>
        </thead>
        <tbody>
          {instances.map((instance) => (
            <InstanceRows
              key={instance.name}
              instance={instance}
              isOpen={open === instance.name}
              columns={columns}
              onToggle={() => setOpen(open === instance.name ? undefined : instance.name)}
              onAct={onAct}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProperties {
  readonly instance: InstanceNow;
  readonly isOpen: boolean;
  readonly columns: number;
  onToggle(): void;
  onAct: TableProperties['onAct'];
}

function InstanceRows({ instance, isOpen, columns, onToggle, onAct }: RowProperties) {
  const { name, severity, words, status, figures, minutes, action } = instance;
  const { recent, today } = figures;
  const detail = `detail-of-${name}`;
  const failed = today?.failed_requests ?? 0;
  return (
    <>
      <tr class={isOpen ? 'opens open' : 'opens'} onClick={onToggle}>
        <th scope="row">
          <Opener isOpen={isOpen} controls={detail} onToggle={onToggle}>
            <Text>{name}</Text>
          </Opener>
          <div class="under">
            <Text>{status.provider ?? ''}</Text>
          </div>
        </th>
        <td>
          <State tone={TONES[severity]}>
            <Text>{words}</Text>
          </State>
          <div class="under">{action === null ? instanceHint(instance) : `${action} is running`}</div>
        </td>
        <td class="wide clip models">
          <Text>{modelsText(instance)}</Text>
        </td>
        <td class="number">{format.rate(recent?.requests_per_second)}</td>
        <td class="number middle">{format.rate(recent?.output_tokens_per_second)}</td>
        <td class="number middle">{format.count(figures.in_flight)}</td>
        <td class="number middle">{format.duration(recent?.first_event_ms.p50)}</td>
        <td class="number wide">{format.duration(recent?.first_event_ms.p95)}</td>
        <td class={failed > 0 ? 'number middle bad' : 'number middle'}>{format.count(today?.failed_requests)}</td>
        <td class="number narrow-off">
          {today ? format.partlyKnownMoney(today.cost_usd, today.unpriced_requests) : format.count(null)}
        </td>
        <td class="wide minutes">
          <Sparkline values={minutes.map(({ requests }) => requests)} description={sparkWords(instance)} />
        </td>
      </tr>
      {isOpen && (
        <tr class="detail" id={detail}>
          <td colSpan={columns}>
            <InstanceDetail instance={instance} />
            <InstanceActions instance={instance} onAct={(command) => onAct(command, instance)} />
          </td>
        </tr>
      )}
    </>
  );
}

/** The models of the three tiers, one name for equal ones. */
export function modelsText({ status: { models } }: InstanceNow): string {
  return [...new Set([models.big, models.middle, models.small].map((model) => model ?? '–'))].join(' / ');
}

function sparkWords({ minutes }: InstanceNow): string {
  const requests = minutes.map((minute) => minute.requests);
  const sum = requests.reduce((total, count) => total + count, 0);
  return `Requests per minute: ${format.count(sum)} in the last hour, at most ${format.count(Math.max(0, ...requests))} in a minute`;
}

/** What else is to be known at one look: keys that are not used, circuits that are open. */
function instanceHint({ status: { providers, port } }: InstanceNow): string {
  const open = (providers ?? []).filter(({ circuit }) => circuit !== undefined && circuit !== 'closed').length;
  const resting = (providers ?? []).flatMap(({ keys = [] }) => keys).filter(({ state }) => state === 'resting').length;
  const parts = [
    ...(open > 0 ? [`${open} ${open === 1 ? 'circuit' : 'circuits'} open`] : []),
    ...(resting > 0 ? [`${resting} ${resting === 1 ? 'key rests' : 'keys rest'}`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : port === null ? '' : `port ${port}`;
}
