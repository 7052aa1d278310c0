import { type ComponentType, render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { NowAnswer } from '../cli/ui/contract.ts';
import {
  type ConnectionState,
  isSecret,
  LiveConnection,
  openSession,
  RequestFailure,
  watchSession,
} from './connection.ts';
import { Command, format, Notice, State, type Tone } from './controls.tsx';
import { NowView } from './nowView.tsx';
import { PageContext, useAddress } from './pageState.ts';
import { RequestsView } from './requestsView.tsx';
import { SessionsView } from './sessionsView.tsx';
import { SetupView } from './setupView.tsx';
import { UsageView } from './usageView.tsx';
import { type View, views } from './viewAddress.ts';

const COMPONENTS: Readonly<Record<View, ComponentType>> = {
  now: NowView,
  requests: RequestsView,
  usage: UsageView,
  sessions: SessionsView,
  setup: SetupView,
};

const CONNECTION: Readonly<Record<ConnectionState, { tone: Tone; words: string }>> = {
  connecting: { tone: 'faint', words: 'connecting' },
  live: { tone: 'good', words: 'live' },
  broken: { tone: 'bad', words: 'not connected' },
  locked: { tone: 'bad', words: 'closed' },
};

function Page() {
  const [connection, setConnection] = useState<ConnectionState>('connecting');
  const [now, setNow] = useState<NowAnswer>();
  const [refused, setRefused] = useState<string>();
  const live = useMemo(() => new LiveConnection(setConnection), []);
  const [{ view }] = useAddress();
  const main = useRef<HTMLElement>(null);

  useEffect(() => {
    const ended = new AbortController();
    live.on('now', setNow);
    const enter = async () => {
      const { hash } = location;
      if (!isSecret(hash)) return;
      setRefused(undefined);
      try {
        await openSession(hash);
      } catch (error) {
        setRefused(error instanceof RequestFailure ? error.message : String(error));
      }
      live.start();
    };
    watchSession(() => live.start(), ended.signal);
    addEventListener('hashchange', enter, { signal: ended.signal });
    if (isSecret(location.hash)) void enter();
    else live.start();
    return () => {
      ended.abort();
      live.stop();
    };
  }, [live]);

  useEffect(() => {
    document.title = `${views[view]} – Claude Code proxy`;
  }, [view]);

  const View = COMPONENTS[view];
  const { tone, words } = CONNECTION[connection];
  return (
    <PageContext.Provider value={{ live, connection, now }}>
      <header class="head">
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          Skip to the figures
        </button>
        <h1 class="product">Claude Code proxy</h1>
        <nav aria-label="Views">
          <ul>
            {(Object.entries(views) as [View, string][]).map(([key, title]) => (
              <li key={key}>
                <a href={`#${key}`} {...(key === view ? { 'aria-current': 'page' as const } : {})}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <span class="connection" role="status">
          <State tone={tone}>{words}</State>
        </span>
      </header>
      <main ref={main} tabIndex={-1} aria-labelledby="view-title">
        <h2 id="view-title" class="hidden">
          {views[view]}
        </h2>
        {connection === 'locked' ? (
          <Locked refused={refused} />
        ) : (
          <>
            {connection === 'broken' && (
              <Notice tone="bad">
                <span>
                  The server of this page does not answer
                  {now === undefined ? '' : `; what is shown is as of ${format.time(now.at, Date.now())}`}. It is tried
                  again by itself. If it was ended:
                </span>
                <Command>./manage ui</Command>
              </Notice>
            )}
            <View />
          </>
        )}
      </main>
    </PageContext.Provider>
  );
}

/** The page has no key, or that of a server which has ended. */
function Locked({ refused }: { readonly refused: string | undefined }) {
  return (
    <div class="panel empty">
      <h2>Open this page with its address</h2>
      <p>
        {refused ?? 'Each start of its server makes a new address, which is valid once.'} Run the command in the folder
        of the project, and open the address that it prints:
      </p>
      <Command>./manage ui</Command>
    </div>
  );
}

render(<Page />, document.body);
