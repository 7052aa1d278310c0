import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { NowAnswer } from '../cli/ui/contract.ts';
import { type ConnectionState, getJson, type LiveConnection, RequestFailure } from './connection.ts';
import { type Choices, readAddress, type ViewAddress, writeAddress } from './viewAddress.ts';

/** What every view may need of the page as a whole. */
export interface PageState {
  readonly live: LiveConnection;
  readonly connection: ConnectionState;
  /** The latest event; undefined before the first. */
  readonly now: NowAnswer | undefined;
}

export const PageContext = createContext<PageState | undefined>(undefined);

export function usePage(): PageState {
  const state = useContext(PageContext);
  if (state === undefined) throw new Error('a view stands outside of the page');
  return state;
}

/** The view and its choices in the page's address; a choice replaces the address, so that going back leads to another view. */
export function useAddress(): readonly [ViewAddress, (choices: Choices) => void] {
  const [address, setAddress] = useState(() => readAddress(location.hash));
  useEffect(() => {
    const follow = () => setAddress(readAddress(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const choose = useCallback((choices: Choices) => {
    const changed = readAddress(location.hash);
    const next = { view: changed.view, choices: withoutEmpty({ ...changed.choices, ...choices }) };
    history.replaceState(null, '', writeAddress(next));
    setAddress(next);
  }, []);
  return [address, choose];
}

function withoutEmpty(choices: Choices): Choices {
  return Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== ''));
}

export interface Loaded<Answer> {
  /** The latest one, also while the next is under way. */
  readonly answer: Answer | undefined;
  readonly failure: RequestFailure | undefined;
  readonly isLoading: boolean;
  /** Asks again. */
  reload(): void;
}

/** How often figures are asked for anew that no event brings, in ms. */
const REFRESH_MS = 15_000;

/** The answer for a query, asked for anew when the query changes or the connection comes back, and from time to time if it `refreshes`. */
export function useAnswer<Answer>(path: string, query: Choices = {}, refreshes = false): Loaded<Answer> {
  const { connection } = usePage();
  const [state, setState] = useState<Omit<Loaded<Answer>, 'reload'>>({
    answer: undefined,
    failure: undefined,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  const key = JSON.stringify(query);
  const latest = useRef(query);
  latest.current = query;
  const isLive = connection === 'live';
  useEffect(() => {
    if (!isLive) return;
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    getJson<Answer>(path, latest.current, abort.signal).then(
      (answer) => setState({ answer, failure: undefined, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const failure = error instanceof RequestFailure ? error : new RequestFailure(0, String(error), null);
        setState((before) => ({ answer: before.answer, failure, isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [path, key, round, isLive]);
  const reload = useCallback(() => setRound((number) => number + 1), []);
  useEffect(() => {
    if (!refreshes) return;
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), REFRESH_MS);
    return () => clearInterval(timer);
  }, [refreshes, reload]);
  return { ...state, reload };
}

/** So many rows of a table are drawn at once. */
const ROWS_AT_ONCE = 40;

/** How many of a table's rows are to be drawn now: hundreds come one part after the other, as the browser does nothing else while it draws. */
export function useDrawnRows(count: number): number {
  const [drawn, setDrawn] = useState(ROWS_AT_ONCE);
  useEffect(() => {
    if (drawn >= count) return;
    const timer = setTimeout(() => setDrawn(drawn + ROWS_AT_ONCE));
    return () => clearTimeout(timer);
  }, [drawn, count]);
  return Math.min(drawn, count);
}

/** The classes of columns, with the width in pixels from which on they are shown, as in page.css. */
const SHOWN_FROM = { 'narrow-off': 480, middle: 760, wide: 1060 } as const;

/** How many columns of a table are shown, by the classes of all of them: a cell that spans more would make columns of its own. */
export function useShownColumns(classes: readonly string[]): number {
  const read = () =>
    Object.entries(SHOWN_FROM).flatMap(([name, width]) => (matchMedia(`(width >= ${width}px)`).matches ? [] : [name]));
  const [hidden, setHidden] = useState(read);
  useEffect(() => {
    const follow = () => setHidden(read());
    addEventListener('resize', follow);
    return () => removeEventListener('resize', follow);
  }, []);
  return classes.filter((names) => !names.split(' ').some((name) => hidden.includes(name))).length;
}
