import { Component, Fragment } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { IndexState, RequestRow } from '../cli/ui/records.ts';
import { ColumnHeads, Command, Empty, format, Notice, Opener, State, Text, type Tone, Waiting } from './controls.tsx';
import { safeText } from './format.ts';
import { type Holder, useRequests } from './liveRequests.ts';
import { useAddress, usePage, useShownColumns } from './pageState.ts';
import { costWords, RequestDetailView } from './requestDetail.tsx';
import { RequestFilters } from './requestFilters.tsx';
import { filtersOf } from './requestList.ts';
import type { Choices } from './viewAddress.ts';

/** The requests as they come, and those before. */
export function RequestsView() {
  const [{ choices }, choose] = useAddress();
  const { list, failure, isFollowing, follow, hold, reload, readOlder } = useRequests(choices);
  const [open, setOpen] = useState<string>();
  const toggle = useCallback(
    (cursor: string) => {
      setOpen((before) => (before === cursor ? undefined : cursor));
      hold('reader', true);
    },
    [hold],
  );
  const resume = () => {
    setOpen(undefined); // the rows move on
    scrollTo({ top: 0 });
    follow();
  };
  const filters = filtersOf(choices);
  const isFiltered = Object.keys(filters).length > 0;
  const waiting = list?.rows.waitingCount ?? 0;
  return (
    <>
      <RequestFilters
        choices={choices}
        models={list?.index.models ?? []}
        clients={list?.index.clients ?? []}
        onChoose={choose}
      />
      {failure !== undefined && (
        <Notice tone="bad">
          <Text>{failure.message}</Text>
          <button type="button" onClick={reload}>
            Try again
          </button>
        </Notice>
      )}
      <div class="title-line">
        <h3 id="list-title">{isFiltered ? 'Requests that match' : 'Latest requests'}</h3>
        <FollowState isFollowing={isFollowing} waiting={waiting} hasGap={list?.hasGap === true} />
        <button type="button" class="push" onClick={isFollowing ? () => hold('reader', true) : resume}>
          {isFollowing ? 'Pause' : waiting > 0 ? `Show ${format.count(waiting)} new` : 'Follow'}
        </button>
      </div>
      {list === undefined ? (
        <Waiting>Reading the logs…</Waiting>
      ) : list.rows.shown.length === 0 ? (
        <NoRequests isFiltered={isFiltered} index={list.index} onClear={() => choose(cleared(filters))} />
      ) : (
        <RequestTable rows={list.rows.shown} isFollowing={isFollowing} open={open} onToggle={toggle} onHold={hold} />
      )}
      {list !== undefined && list.rows.shown.length > 0 && (
        <p class="below faint">
          {list.hasOlder ? (
            <button type="button" onClick={readOlder}>
              Show older requests
            </button>
          ) : list.index.is_complete ? (
            `These are all; the logs begin ${format.time(list.index.oldest_at, Date.now())}.`
          ) : (
            `Known are ${format.count(list.index.records)} requests since ${format.time(list.index.oldest_at, Date.now())}; older ones are still being read, or are more than are kept here.`
          )}
        </p>
      )}
    </>
  );
}

function cleared(filters: Choices): Choices {
  return Object.fromEntries(Object.keys(filters).map((name) => [name, '']));
}

interface FollowStateProperties {
  readonly isFollowing: boolean;
  readonly waiting: number;
  readonly hasGap: boolean;
}

function FollowState({ isFollowing, waiting, hasGap }: FollowStateProperties) {
  const { connection } = usePage();
  if (connection !== 'live') return <State tone="bad">not live: what comes now is missing</State>;
  if (hasGap) return <State tone="warn">paused, and some are missing; following reads all anew</State>;
  if (isFollowing) return <State tone="good">live</State>;
  return <State tone="faint">paused{waiting > 0 ? `, ${format.count(waiting)} new` : ''}</State>;
}

interface NoRequestsProperties {
  readonly isFiltered: boolean;
  readonly index: IndexState;
  onClear(): void;
}

function NoRequests({ isFiltered, index, onClear }: NoRequestsProperties) {
  const { now } = usePage();
  if (!index.is_complete) {
    return (
      <Empty title="Still looking…">
        <p>{format.count(index.records)} records of the logs have been read so far.</p>
      </Empty>
    );
  }
  if (isFiltered) {
    return (
      <Empty title="No request matches">
        <p>The logs of the last days have {format.count(index.records)} requests, none of them with these filters.</p>
        <button type="button" onClick={onClear}>
          Clear the filters
        </button>
      </Empty>
    );
  }
  const first = now?.instances.find(({ severity }) => severity === 'good') ?? now?.instances[0];
  return (
    <Empty title="No request yet">
      <p>Requests appear here by themselves. Send the first one from Claude Code:</p>
      <Command>{first === undefined ? './manage init' : `./manage run ${safeText(first.name)}`}</Command>
    </Empty>
  );
}

interface TableProperties {
  readonly rows: readonly RequestRow[];
  readonly isFollowing: boolean;
  readonly open: string | undefined;
  onToggle(cursor: string): void;
  onHold(holder: Holder, isHeld: boolean): void;
}

/** Of columns that a narrow window leaves out. */
const COLUMNS = [
  ['Time', 'time'],
  ['Instance', 'instance middle'],
  ['Model', 'model'],
  ['Status', 'status'],
  ['First event', 'number figure wide'],
  ['Duration', 'number figure narrow-off'],
  ['Tokens in', 'number figure middle'],
  ['Cached', 'number figure wide'],
  ['Out', 'number figure middle'],
  ['Cost', 'number figure middle'],
] as const;
const COLUMN_CLASSES = COLUMNS.map(([, names]) => names);

/** In pixels of CSS; page.css has it, too. */
const ROW_HEIGHT = 31;

/** So many rows can be seen at once while the page is not scrolled. */
function visibleRows(): number {
  return Math.ceil(innerHeight / ROW_HEIGHT);
}

/**
 * While rows come, those below the window are empty space, and a row takes the place of another one (by its index) in place of being
 * made anew: else hundreds of rows a second would keep the browser busy. Who scrolls makes the list stand still.
 */
function RequestTable({ rows, isFollowing, open, onToggle, onHold }: TableProperties) {
  const columns = useShownColumns(COLUMN_CLASSES);
  useEffect(() => {
    const follow = () => onHold('scrolling', scrollY > ROW_HEIGHT);
    follow();
    addEventListener('scroll', follow, { passive: true });
    return () => {
      removeEventListener('scroll', follow);
      onHold('scrolling', false);
    };
  }, [onHold]);
  const drawn = isFollowing ? rows.slice(0, visibleRows()) : rows;
  const left = rows.length - drawn.length;
  return (
    <div
      class="table-frame"
      onPointerEnter={({ pointerType }) => pointerType === 'mouse' && onHold('pointer', true)}
      onPointerLeave={() => onHold('pointer', false)}
      onFocusIn={() => onHold('focus', true)}
      onFocusOut={() => onHold('focus', false)}
    >
      <table class="requests" aria-labelledby="list-title">
        <thead>
          <tr>
            <ColumnHeads columns={COLUMNS} />
          </tr>
        </thead>
        <tbody>
          {drawn.map((row, index) => (
            <Fragment key={index}>
              <Row row={row} isOpen={open === row.cursor} onToggle={onToggle} />
              {open === row.cursor && (
                <tr class="detail" id="request-detail">
                  <td colSpan={columns}>
                    <RequestDetailView row={row} />
                  </td>
                </tr>
              )}
            </Fragment>
          ))}
          {left > 0 && (
            <tr class="space">
              <td colSpan={columns} style={{ height: `${left * ROW_HEIGHT}px` }} />
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

interface RowProperties {
  readonly row: RequestRow;
  readonly isOpen: boolean;
  onToggle(cursor: string): void;
}

/** A class, as one whose row is the same is not rendered again: a list of hundreds changes several times a second. */
class Row extends Component<RowProperties> {
  override shouldComponentUpdate({ row, isOpen }: RowProperties): boolean {
    return row !== this.props.row || isOpen !== this.props.isOpen;
  }

  override render({ row, isOpen, onToggle }: RowProperties) {
    const toggle = () => onToggle(row.cursor);
    const { input_tokens: fresh, cache_read_tokens: read, cache_creation_tokens: written } = row;
    const input = fresh === null ? null : fresh + (read ?? 0) + (written ?? 0);
    const time = format.time(row.time, Date.now());
    return (
      <tr class={isOpen ? 'opens open' : 'opens'} onClick={toggle}>
        <td class="time">
          <Opener isOpen={isOpen} controls="request-detail" label={`Request at ${time}`} onToggle={toggle}>
            {time}
          </Opener>
        </td>
        <td class="instance middle">{safeText(row.instance)}</td>
        <td class="model" title={modelWords(row)}>
          {modelWords(row)}
        </td>
        <td class="status">
          <State tone={toneOf(row)}>{statusWords(row)}</State>
        </td>
        <td class="number wide">{format.duration(row.first_event_ms)}</td>
        <td class="number narrow-off">{format.duration(row.duration_ms)}</td>
        <td class="number middle">{format.compact(input)}</td>
        <td class="number wide">{input ? format.percent((read ?? 0) / input) : format.count(null)}</td>
        <td class="number middle">{format.compact(row.output_tokens)}</td>
        <td class="number middle">{costWords(row)}</td>
      </tr>
    );
  }
}

/** `claude-opus-4-1 → acme-2`. */
export function modelWords({ model, upstream_model: used, endpoint }: RequestRow): string {
  const asked = safeText(model);
  if (asked === '') return safeText(endpoint);
  return used === null || used === model ? asked : `${asked} → ${safeText(used)}`;
}

export function toneOf({ outcome, fallbacks }: RequestRow): Tone {
  switch (outcome) {
    case 'ok':
      return fallbacks > 0 ? 'warn' : 'good';
    case 'client_closed':
      return 'faint';
    case 'rejected':
      return 'warn';
    default:
      return 'bad';
  }
}

export function statusWords({ status, outcome, error_type: type, fallbacks }: RequestRow): string {
  switch (outcome) {
    case 'ok':
      return fallbacks === 0 ? String(status) : `${status}, ${fallbacks} ${fallbacks === 1 ? 'fallback' : 'fallbacks'}`;
    case 'client_closed':
      return 'client has gone';
    case 'interrupted':
      return 'broken off';
    default:
      return `${status} ${safeText(type)
        .replace(/_error$/, '')
        .replaceAll('_', ' ')}`;
  }
}
