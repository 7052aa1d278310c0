import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { IndexState, RequestRow, RequestsAnswer } from '../cli/ui/records.ts';
import { getJson, RequestFailure } from './connection.ts';
import { usePage } from './pageState.ts';
import {
  addRows,
  filtersOf,
  keepRows,
  matchesFilters,
  pauseRows,
  type RecentRows,
  resumeRows,
  startRows,
} from './requestList.ts';
import type { Choices } from './viewAddress.ts';

const PAGE_ROWS = 100;
/** More rows than these are not kept in the page; older ones are read again. */
const MOST_ROWS = 500;
/** How long it takes, in ms, until a list is read again whose logs are still being read. */
const REREAD_MS = 1000;

interface List {
  readonly rows: RecentRows<RequestRow>;
  /** What the server says of older rows and of the logs. */
  readonly index: IndexState;
  readonly hasOlder: boolean;
  /** Rows are missing that came meanwhile: it has to be read anew. */
  readonly hasGap: boolean;
}

/** Who wants the list to stand still: what the reader has chosen lasts, the others go on their way. */
export type Holder = 'reader' | 'pointer' | 'focus' | 'scrolling';

/** The list of the requests that match: as it comes, and as the reader moves in it. */
export function useRequests(choices: Choices) {
  const { live, connection } = usePage();
  const [list, setList] = useState<List>();
  const [failure, setFailure] = useState<RequestFailure>();
  const [holders, setHolders] = useState<ReadonlySet<Holder>>(new Set());
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((number) => number + 1), []);
  const key = JSON.stringify(filtersOf(choices));
  const isFollowing = holders.size === 0;
  const isLive = connection === 'live';
  const arrivals = useArrivals(choices, isFollowing, setList, reload);

  const read = useRef('');
  useEffect(() => {
    const wanted = `${round} ${key}`;
    // After a break the server sends what was missed, or that it cannot: the list is read again then alone.
    if (!isLive || read.current === wanted) return;
    const abort = new AbortController();
    arrivals.begin();
    const query = { ...filtersOf(choices), limit: String(PAGE_ROWS) };
    getJson<RequestsAnswer>('/api/requests', query, abort.signal).then(
      (answer) => {
        read.current = wanted;
        setFailure(undefined);
        setList(arrivals.join(answer));
      },
      (error: unknown) => !abort.signal.aborted && setFailure(asFailure(error)),
    );
    return () => abort.abort();
  }, [key, round, isLive, live]);

  const isIncomplete = list?.index.is_complete === false && list.rows.shown.length < PAGE_ROWS;
  useEffect(() => {
    if (!isIncomplete || !isFollowing) return;
    const timer = setInterval(reload, REREAD_MS);
    return () => clearInterval(timer);
  }, [isIncomplete, isFollowing, reload]);

  useEffect(() => {
    setList(
      (before) =>
        before && { ...before, rows: isFollowing ? resumeRows(before.rows, mostOf(before)) : pauseRows(before.rows) },
    );
  }, [isFollowing]);

  const hold = useCallback((holder: Holder, isHeld: boolean) => {
    setHolders((before) => {
      if (before.has(holder) === isHeld) return before;
      const after = new Set(before);
      if (isHeld) after.add(holder);
      else after.delete(holder);
      return after;
    });
  }, []);
  const follow = () => {
    setHolders(new Set());
    if (list?.hasGap) reload();
  };
  const readOlder = async () => {
    hold('reader', true);
    const before = list?.rows.shown.at(-1)?.cursor;
    if (before === undefined) return;
    try {
      const query = { ...filtersOf(choices), limit: String(PAGE_ROWS), before };
      const answer = await getJson<RequestsAnswer>('/api/requests', query);
      setList((present) => {
        if (present?.rows.shown.at(-1)?.cursor !== before) return present; // it has been read anew meanwhile
        const shown = [...present.rows.shown, ...answer.requests].slice(-MOST_ROWS);
        return { ...present, rows: { ...present.rows, shown }, index: answer.index, hasOlder: answer.next !== null };
      });
    } catch (error) {
      setFailure(asFailure(error));
    }
  };
  return { list, failure, isFollowing, follow, hold, reload, readOlder };
}

function asFailure(error: unknown): RequestFailure {
  return error instanceof RequestFailure ? error : new RequestFailure(0, String(error), null);
}

/** So many rows are kept while new ones come: those of a page, or what the reader has asked for. */
function mostOf({ rows }: List): number {
  return Math.max(PAGE_ROWS, rows.shown.length);
}

/** What comes by the live connection: collected, and put into the list once per frame at most. */
function useArrivals(
  choices: Choices,
  isFollowing: boolean,
  setList: (change: (before: List | undefined) => List | undefined) => void,
  reload: () => void,
) {
  const { live } = usePage();
  const state = useRef({ choices, isFollowing, collected: [] as RequestRow[], frame: 0 });
  state.current.choices = choices;
  state.current.isFollowing = isFollowing;
  useEffect(() => {
    const put = () => {
      state.current.frame = 0;
      setList((before) => {
        if (before === undefined) return before; // the first answer takes what has been collected
        const added = state.current.collected.splice(0);
        const known = new Set(before.rows.shown.map(({ cursor }) => cursor));
        const unknown = added.filter(({ cursor }) => !known.has(cursor));
        const most = mostOf(before);
        const rows = addRows(before.rows, unknown, most);
        const hasOlder = before.hasOlder || before.rows.shown.length + unknown.length > most;
        return unknown.length === 0 ? before : { ...before, rows, hasOlder };
      });
    };
    const stopRequests = live.on('requests', ({ requests }) => {
      const { collected } = state.current;
      collected.push(...requests.filter((row) => matchesFilters(row, state.current.choices)));
      collected.splice(0, collected.length - MOST_ROWS);
      if (state.current.frame === 0) state.current.frame = requestAnimationFrame(put);
    });
    const stopLost = live.on('lost', () => {
      if (state.current.isFollowing) reload();
      else setList((before) => before && { ...before, hasGap: true });
    });
    const stopKept = live.on('kept', ({ oldest }) => {
      const [oldestAt = null] = Object.values(oldest).sort();
      setList(
        (before) =>
          before && { ...before, rows: keepRows(before.rows, oldest), index: { ...before.index, oldest_at: oldestAt } },
      );
    });
    return () => {
      stopRequests();
      stopLost();
      stopKept();
      cancelAnimationFrame(state.current.frame);
    };
  }, [live, setList, reload]);
  return {
    /** From now on what comes is newer than the answer, or in it. */
    begin() {
      state.current.collected = [];
    },
    join({ requests, next, index }: RequestsAnswer): List {
      const known = new Set(requests.map(({ cursor }) => cursor));
      const newer = state.current.collected.splice(0).filter(({ cursor }) => !known.has(cursor));
      const rows = addRows(startRows(requests), newer, PAGE_ROWS);
      const list = { index, hasOlder: next !== null, hasGap: false };
      return { ...list, rows: state.current.isFollowing ? rows : pauseRows(rows) };
    },
  };
}
