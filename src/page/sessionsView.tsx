import { Component, Fragment } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import type { SessionLine, SessionsAnswer } from '../cli/ui/records.ts';
import {
  Choice,
  ColumnHeads,
  Command,
  Empty,
  Facts,
  format,
  Opener,
  ReadingNotices,
  Text,
  Waiting,
} from './controls.tsx';
import { pathEnd, safeText } from './format.ts';
import { useAddress, useAnswer, useDrawnRows, usePage, useShownColumns } from './pageState.ts';
import { Select } from './requestFilters.tsx';
import { firstDay } from './usageFigures.ts';

const RANGES = { '1': 'Today', '7': '7 days', '30': '30 days', '90': '90 days' } as const;
type Range = keyof typeof RANGES;
const PAGE_SESSIONS = 200;
const MOST_SESSIONS = 1000;
/** Of columns that a narrow window leaves out. */
const COLUMNS = [
  ['Last request', 'when'],
  ['Where', ''],
  ['Models', 'wide'],
  ['Turns', 'number figure narrow-off'],
  ['Tokens in', 'number figure middle'],
  ['Cached', 'number figure wide'],
  ['Tokens out', 'number figure middle'],
  ['Longest', 'number figure wide longest'],
  ['Failed', 'number figure middle'],
  ['Cost', 'number figure'],
] as const;
const COLUMN_CLASSES = COLUMNS.map(([, names]) => names);

/** Each session of Claude Code: what it did and what it cost. */
export function SessionsView() {
  const [{ choices }, choose] = useAddress();
  const { now } = usePage();
  const [limit, setLimit] = useState(PAGE_SESSIONS);
  const [open, setOpen] = useState<string>();
  const toggle = useCallback((session: string) => setOpen((before) => (before === session ? undefined : session)), []);
  const { range: word = '7', instance = '' } = choices;
  const range = Object.hasOwn(RANGES, word) ? (word as Range) : '7';
  const { answer, failure, isLoading } = useAnswer<SessionsAnswer>(
    '/api/sessions',
    {
      from: firstDay(Number(range), Date.now()),
      to: firstDay(1, Date.now()),
      instance,
      limit: String(limit),
    },
    true,
  );
  const names = now?.instances.map(({ name }) => name) ?? [];
  return (
    <>
      <search class="filters">
        <Choice<Range> label="Range" options={RANGES} value={range} onChoose={(value) => choose({ range: value })} />
        <Select
          label="Instance"
          value={instance}
          options={Object.fromEntries([['', 'all'], ...names.map((name) => [name, safeText(name)])])}
          onChange={(value) => choose({ instance: value })}
        />
      </search>
      <ReadingNotices failure={failure} unreadable={answer?.unreadable} missing="Not in the list" />
      {answer === undefined && failure === undefined && <Waiting>Reading the usage…</Waiting>}
      {answer !== undefined && answer.sessions.length === 0 && (
        <Empty title="No session in this range">
          <p>A session appears with its first answer. Start one:</p>
          <Command>./manage run demo</Command>
        </Empty>
      )}
      {answer !== undefined && answer.sessions.length > 0 && (
        <div aria-busy={isLoading}>
          <div class="title-line">
            <h3 id="sessions-title">
              {answer.found > answer.sessions.length
                ? `The latest ${format.count(answer.sessions.length)} of ${format.count(answer.found)} sessions`
                : `${format.count(answer.found)} ${answer.found === 1 ? 'session' : 'sessions'}`}
            </h3>
          </div>
          <SessionTable sessions={answer.sessions} open={open} onToggle={toggle} />
          {answer.found > answer.sessions.length && limit < MOST_SESSIONS && (
            <p class="below">
              <button type="button" onClick={() => setLimit(limit + PAGE_SESSIONS)}>
                Show more
              </button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

interface TableProperties {
  readonly sessions: readonly SessionLine[];
  readonly open: string | undefined;
  onToggle(session: string): void;
}

function SessionTable({ sessions, open, onToggle }: TableProperties) {
  const columns = useShownColumns(COLUMN_CLASSES);
  const drawn = sessions.slice(0, useDrawnRows(sessions.length));
  return (
    <div class="table-frame">
      <table class="sessions" aria-labelledby="sessions-title">
        <thead>
          <tr>
            <ColumnHeads columns={COLUMNS} />
          </tr>
        </thead>
        <tbody>
          {drawn.map((session) => (
            <Fragment key={session.session}>
              <SessionRow session={session} isOpen={open === session.session} onToggle={onToggle} />
              {open === session.session && (
                <tr class="detail" id="session-detail">
                  <td colSpan={columns}>
                    <SessionDetail session={session} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProperties {
  readonly session: SessionLine;
  readonly isOpen: boolean;
  onToggle(session: string): void;
}

/** A class, as one whose session is the same is not rendered again when the next part of the table is. */
class SessionRow extends Component<RowProperties> {
  override shouldComponentUpdate({ session, isOpen }: RowProperties): boolean {
    return session !== this.props.session || isOpen !== this.props.isOpen;
  }

  override render({ session, isOpen, onToggle }: RowProperties) {
    const toggle = () => onToggle(session.session);
    const { failed_requests: failed, last_request_at: last, project } = session;
    const time = format.time(last, Date.now());
    return (
      <tr class={isOpen ? 'opens open' : 'opens'} onClick={toggle}>
        <td class="when">
          <Opener isOpen={isOpen} controls="session-detail" label={`Session, last request ${time}`} onToggle={toggle}>
            {time}
          </Opener>
        </td>
        <td class="path" title={safeText(project)}>
          <Text>{project === null ? 'not known' : pathEnd(project)}</Text>
        </td>
        <td class="wide clip" title={safeText(session.models.join(', '))}>
          <Text>{session.models.join(', ')}</Text>
        </td>
        <td class="number narrow-off">{format.count(session.turns)}</td>
        <td class="number middle">{format.compact(session.input_tokens)}</td>
        <td class="number wide">{format.percent(session.cache_hit_share)}</td>
        <td class="number middle">{format.compact(session.output_tokens)}</td>
        <td class="number wide">{format.duration(session.longest_ms)}</td>
        <td class={failed > 0 ? 'number middle bad' : 'number middle'}>{format.count(failed)}</td>
        <td class="number">{format.partlyKnownMoney(session.cost_usd, session.unpriced_requests)}</td>
      </tr>
    );
  }
}

/** How often the web was searched, and what that cost beside the tokens; empty where it was not. */
function searchWords({ web_searches: count, search_cost_usd: cost }: SessionLine): string {
  return count === 0 ? '' : `${format.count(count)} (${format.money(cost)})`;
}

function SessionDetail({ session }: { readonly session: SessionLine }) {
  const { session_id: id, last_request_at: last } = session;
  return (
    <>
      <div class="columns">
        <div>
          <h3>Session</h3>
          <Facts
            rows={[
              ['Id', id === null ? <code key="hash">{session.session}</code> : <code key="id">{safeText(id)}</code>],
              ['Folder', <Text key="folder">{session.project}</Text>],
              ['First request', format.moment(session.first_request_at)],
              ['Last request', format.moment(last)],
              ['Instances', <Text key="instances">{session.instances.join(', ')}</Text>],
              ['Providers', <Text key="providers">{session.providers.join(', ')}</Text>],
              ['Models', <Text key="models">{session.models.join(', ')}</Text>],
            ]}
          />
        </div>
        <div>
          <h3>Requests</h3>
          <Facts
            rows={[
              ['All', format.count(session.requests)],
              ['Turns', format.count(session.turns)],
              ['Of subagents', format.count(session.agent_requests)],
              ['Failed', format.count(session.failed_requests)],
              ['Longest', format.duration(session.longest_ms)],
              ['To side models', session.side_calls > 0 ? format.count(session.side_calls) : ''],
            ]}
          />
        </div>
        <div>
          <h3>Tokens and cost</h3>
          <Facts
            rows={[
              ['Input', format.count(session.input_tokens)],
              [
                'From the cache',
                `${format.count(session.cache_read_tokens)} (${format.percent(session.cache_hit_share)})`,
              ],
              ['Into the cache', format.count(session.cache_creation_tokens)],
              ['Output', format.count(session.output_tokens)],
              ['Of it reasoning', format.count(session.reasoning_tokens)],
              ['Cost', format.partlyKnownMoney(session.cost_usd, session.unpriced_requests)],
              ['Web searches', searchWords(session)],
            ]}
          />
        </div>
      </div>
      <div class="buttons">
        {id !== null && session.instances[0] !== undefined && (
          <Command>{`./manage run ${session.instances[0]} -- --resume ${id}`}</Command>
        )}
        <a class="push" href={`#requests?session=${encodeURIComponent(session.session)}`}>
          Its requests
        </a>
      </div>
    </>
  );
}
