import type { RequestRecord } from './requestRecord.ts';

/** What of the tools of clients' sessions has been lost since the start. */
export interface ToolLosses {
  /** Sessions in which the model was not offered all tools, as its server takes no more. */
  limitedSessions: number;
  /** How many tools were left out of the latest request of such a session. */
  leftOut: number;
  /** Sessions in which the client has given up its search for tools after a refusal. */
  searchLostSessions: number;
  /** What the latest of these refusals said. */
  searchLostReason?: string;
}

/** What is said once in each session. */
export type ToolNotice =
  | { readonly kind: 'limited'; readonly leftOut: number }
  | { readonly kind: 'search_lost'; readonly reason: string };

interface Session {
  isLimited: boolean;
  /** Whether the client has searched for tools in the past of this session. */
  hadSearch: boolean;
  /** The refusals since the last answer, while the client searched for tools. */
  refusal?: string;
}

/** The oldest is forgotten first. */
const SESSIONS_MAX = 1000;

/**
 * Watches whether the tools of a session come to the model. Claude Code sends few tools and a search for the others. When a request is refused
 * with a 400 or 422 in words that it does not know, it sends it again with one feature less, and at last without the search: where that is
 * answered, the conversation goes on with all tools in each request (seen with Claude Code 2.1.328 on 2026-11-30).
 */
export class SessionTools {
  readonly #sessions = new Map<string, Session>();
  readonly #losses: ToolLosses = { limitedSessions: 0, leftOut: 0, searchLostSessions: 0 };

  /** Takes in a request that has ended; gives what nobody has been shown of its session yet. */
  finish(record: RequestRecord): ToolNotice | undefined {
    const { toolsLeftOut = 0, toolSearch } = record;
    if (toolsLeftOut > 0) {
      this.#losses.leftOut = toolsLeftOut;
      const session = this.#of(record);
      if (!session.isLimited) {
        session.isLimited = true;
        this.#losses.limitedSessions += 1;
        return { kind: 'limited', leftOut: toolsLeftOut };
      }
    }
    return toolSearch === undefined || record.session === undefined ? undefined : this.#watchSearch(record, toolSearch);
  }

  snapshot(): ToolLosses {
    return { ...this.#losses };
  }

  #watchSearch(record: RequestRecord, toolSearch: boolean): ToolNotice | undefined {
    // Nothing is kept of the many sessions that never search.
    if (!toolSearch && !this.#sessions.has(record.session ?? '')) return undefined;
    const session = this.#of(record);
    if (toolSearch) session.hadSearch = true;
    if (record.status === 400 || record.status === 422) {
      if (toolSearch) session.refusal = record.errorMessage ?? '';
      return undefined;
    }
    if (record.outcome !== 'ok') return undefined;
    const { refusal } = session;
    delete session.refusal;
    if (toolSearch || !session.hadSearch || refusal === undefined) return undefined;
    session.hadSearch = false;
    this.#losses.searchLostSessions += 1;
    this.#losses.searchLostReason = refusal;
    return { kind: 'search_lost', reason: refusal };
  }

  #of({ session: name = '' }: RequestRecord): Session {
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= SESSIONS_MAX) this.#sessions.delete(oldest);
    const session: Session = { isLimited: false, hadSearch: false };
    this.#sessions.set(name, session);
    return session;
  }
}
