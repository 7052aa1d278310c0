import type { RequestDetail, RequestRow } from '../cli/ui/records.ts';
import { Command, CopyButton, Facts, format, Notice, SuppliedFacts, Text } from './controls.tsx';
import { splitRemedy } from './format.ts';
import { useAnswer } from './pageState.ts';

/** What the row of a request opens to: the same record that the log has. */
export function RequestDetailView({ row }: { readonly row: RequestRow }) {
  const { id, instance, time } = row;
  const { answer, failure } = useAnswer<RequestDetail>('/api/request', { instance, id, time });
  if (failure !== undefined) {
    return (
      <Notice tone="bad">
        <Text>{failure.message}</Text>
        {failure.remedy !== null && <Remedy text={failure.remedy} />}
      </Notice>
    );
  }
  if (answer === undefined) return <p class="faint">Reading the log…</p>;
  return (
    <>
      {answer.error !== null && <ErrorWords {...answer.error} />}
      <div class="columns">
        <div>
          <h3>What was asked and used</h3>
          <Asked row={row} />
        </div>
        <div>
          <h3>Why this route</h3>
          {answer.why.length === 0 ? (
            <p class="faint">The log does not say.</p>
          ) : (
            <ul class="reasons">
              {answer.why.map((reason) => (
                <li key={reason}>
                  <Text>{reason}</Text>
                </li>
              ))}
            </ul>
          )}
        </div>
        <div>
          <h3>Tokens and cost</h3>
          <Tokens tokens={answer.tokens} row={row} />
        </div>
        <Supplied {...answer.supplied} />
        <div class="all-columns">
          <h3>Time</h3>
          <TimeBar {...answer.times} />
        </div>
      </div>
      <div class="buttons">
        <CopyButton
          text={() => JSON.stringify(answer.record, undefined, 2)}
          what="of this request"
          label="Copy as JSON"
        />
        <Command>{`./manage logs ${instance} --id ${id}`}</Command>
      </div>
    </>
  );
}

function Remedy({ text }: { readonly text: string }) {
  const { words, command } = splitRemedy(text);
  return (
    <>
      <Text>{words}</Text>
      {command !== undefined && <Command>{command}</Command>}
    </>
  );
}

function ErrorWords({ status, type, message, remedies, page }: NonNullable<RequestDetail['error']>) {
  return (
    <Notice tone="bad">
      <div class="error-words">
        <strong>
          {status} <Text>{type}</Text>
        </strong>
        <p>
          <Text>{message}</Text>
        </p>
        {remedies.map((remedy) => (
          <p key={remedy}>
            <Remedy text={remedy} />
          </p>
        ))}
        <p class="faint">
          More in <code>{page}</code>
        </p>
      </div>
    </Notice>
  );
}

function Asked({ row }: { readonly row: RequestRow }) {
  const only = (filter: string, value: string, words = value) => (
    <a href={`#requests?${new URLSearchParams({ [filter]: value })}`}>
      <Text>{words}</Text>
    </a>
  );
  return (
    <Facts
      rows={[
        ['Id', <code key="id">{row.id}</code>],
        ['Ended', format.moment(row.time)],
        ['Instance', only('instance', row.instance)],
        ['Provider', <Text key="provider">{row.provider}</Text>],
        ['Asked for', row.model === null ? '' : only('model', row.model)],
        ['Used', row.upstream_model === null ? '' : only('model', row.upstream_model)],
        ['Tier', row.tier === null || row.tier === 'none' ? '' : row.tier],
        ['For', row.intent ?? ''],
        ['Session', row.session === null ? '' : only('session', row.session)],
        ['Subagent', row.agent === null ? '' : only('agent', row.agent)],
        ['Client', row.client === null ? '' : <Text key="client">{row.client}</Text>],
        ['Endpoint', <code key="endpoint">{row.endpoint}</code>],
        ['Streamed', row.stream ? 'yes' : 'no'],
      ]}
    />
  );
}

/** What the proxy did for the model; nothing where it was not needed. */
function Supplied({ pictures, searches, tools_left_out: leftOut }: RequestDetail['supplied']) {
  const costs = (cost: number | null) => (cost === null ? '?' : format.money(cost));
  const failures = (failed: number) => (failed > 0 ? `, ${format.count(failed)} failed` : '');
  const rows = [
    [
      'Pictures',
      pictures &&
        `${format.count(pictures.total)}, ${format.count(pictures.described)} described now${failures(pictures.failed)}${
          pictures.described > 0 ? ` (${costs(pictures.cost)})` : ''
        }`,
    ],
    [
      'Web searches',
      searches &&
        `${format.count(searches.done)}${failures(searches.failed)}${searches.done > 0 ? ` (${costs(searches.cost)})` : ''}`,
    ],
    ['Tools left out', leftOut === null ? null : format.count(leftOut)],
  ] as const;
  return <SuppliedFacts rows={rows} />;
}

const REASONING = 'of it reasoning';

function Tokens({ tokens, row }: { readonly tokens: RequestDetail['tokens']; readonly row: RequestRow }) {
  const { fresh, cached, written, output, reasoning, estimated } = tokens;
  const rows = [
    ['Fresh input', fresh],
    ['From the cache', cached],
    ['Into the cache', written],
    ['Output', output],
    [REASONING, reasoning],
  ] as const;
  return (
    <>
      <dl class="facts numbers">
        {rows.flatMap(([name, count]) => [
          <dt key={`${name} name`} {...(name === REASONING ? { class: 'part' } : {})}>
            {name}
          </dt>,
          <dd key={name} class="number">
            {format.count(count)}
          </dd>,
        ])}
        <dt>Cost</dt>
        <dd class="number">{costWords(row)}</dd>
      </dl>
      {estimated && <p class="faint">The provider gave no counts; these are estimates.</p>}
    </>
  );
}

/** Waiting and streaming on one bar, with the figures in words. */
function TimeBar({ waiting_ms: waiting, streaming_ms: streaming }: RequestDetail['times']) {
  const whole = Math.max(1, waiting + streaming);
  return (
    <>
      <div class="time-bar" aria-hidden="true">
        <div class="layer-1" style={{ width: `${(waiting / whole) * 100}%` }} />
        <div class="layer-0" style={{ width: `${(streaming / whole) * 100}%` }} />
      </div>
      <ul class="legend">
        <li>
          <span class="swatch layer-1" aria-hidden="true" />
          until the first event <b>{format.duration(waiting)}</b>
        </li>
        <li>
          <span class="swatch layer-0" aria-hidden="true" />
          streaming <b>{format.duration(streaming)}</b>
        </li>
        <li>
          in all <b>{format.duration(waiting + streaming)}</b>
        </li>
      </ul>
    </>
  );
}

/** Nothing where nobody was asked or nothing came of it. */
export function costWords({ cost, attempts, output_tokens: output }: RequestRow): string {
  if (cost === null) return attempts === null || output === null ? format.count(null) : '?';
  return cost === 0 && output === null ? format.count(null) : format.money(cost);
}
