import {
  type ActionLine,
  type ActionRequest,
  type FailureAnswer,
  KEY_HEADER,
  type LiveEvents,
  type SessionAnswer,
} from '../cli/ui/contract.ts';

/** Where the key is kept, for other tabs and for a reload; it ends with the server. */
const KEY_STORE = 'page-key';

/** What the server, or the way to it, has answered in place of what was asked for. */
export class RequestFailure extends Error {
  /** 0: nobody has answered. */
  readonly status: number;
  readonly remedy: string | null;

  constructor(status: number, message: string, remedy: string | null) {
    super(message);
    this.status = status;
    this.remedy = remedy;
  }

  /** The page has to be opened anew: its key is not that of the server that runs now. */
  get isLocked(): boolean {
    return this.status === 403;
  }
}

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = { ...options.headers, [KEY_HEADER]: localStorage.getItem(KEY_STORE) ?? '' };
  let response: Response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new RequestFailure(0, 'The server of this page does not answer.', './manage ui');
  }
  if (response.ok) return response;
  const answer: Partial<FailureAnswer> = await response.json().catch(() => ({}));
  const { message = `The server of this page has answered ${response.status}.`, remedy = null } = answer.error ?? {};
  throw new RequestFailure(response.status, message, remedy);
}

function postJson(path: string, body: unknown): Promise<Response> {
  return ask(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

/** What a fragment of the address looks like that is the secret of a start, and no view. */
const SECRET = /^#[\w-]{20,200}$/;

export function isSecret(fragment: string): boolean {
  return SECRET.test(fragment);
}

/**
 * Takes the secret of the start out of the address, so that it stays in no history, and exchanges it for the key.
 * @throws RequestFailure
 */
export async function openSession(fragment: string): Promise<void> {
  history.replaceState(null, '', location.pathname);
  const response = await postJson('/api/session', { secret: fragment.slice(1) });
  const { key }: SessionAnswer = await response.json();
  localStorage.setItem(KEY_STORE, key);
}

/** Calls when another tab has opened a session. */
export function watchSession(onOpened: () => void, signal: AbortSignal): void {
  addEventListener('storage', ({ key }) => key === KEY_STORE && onOpened(), { signal });
}

type Query = Readonly<Record<string, string | undefined>>;

export function pathWith(path: string, query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

/** @throws RequestFailure */
export async function getJson<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  const response = await ask(pathWith(path, query), signal === undefined ? {} : { signal });
  return response.json();
}

/**
 * A file as the server makes it, for the reader's disk.
 * @throws RequestFailure
 */
export async function download(path: string, query: Query, name: string): Promise<void> {
  const response = await ask(pathWith(path, query));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/**
 * Runs a command; what it writes comes line by line.
 * @throws RequestFailure
 */
export async function* runAction(request: ActionRequest): AsyncGenerator<ActionLine> {
  for await (const line of lines(await postJson('/api/actions', request))) if (line !== '') yield JSON.parse(line);
}

async function* lines(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  // With a reader, as not every browser can iterate over a stream.
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

/** `live`: events come. `broken`: it is tried again by itself. `locked`: the page has to be opened anew. */
export type ConnectionState = 'connecting' | 'live' | 'broken' | 'locked';

type EventName = keyof LiveEvents;
type Listener<Name extends EventName> = (data: LiveEvents[Name]) => void;

/** Pauses between two attempts, in ms. */
const PAUSES = [250, 500, 1000, 2000, 3000];
/** The server sends an event each second, or a bit later where it has much to ask: after so long, in ms, it is taken for dead. */
const SILENCE_MS = 30_000;

/** The events of the server, as long as the page is open. */
export class LiveConnection {
  readonly #listeners = new Map<EventName, Set<(data: unknown) => void>>();
  readonly #onState: (state: ConnectionState) => void;
  #abort = new AbortController();
  #lastId = '';

  constructor(onState: (state: ConnectionState) => void) {
    this.#onState = onState;
  }

  /** Gives what ends it. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const call = (data: unknown) => listener(data as LiveEvents[Name]); // the contract says which data an event has
    listeners.add(call);
    return () => listeners.delete(call);
  }

  /** Begins, also anew with another key. */
  start(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    void this.#follow(this.#abort.signal);
  }

  stop(): void {
    this.#abort.abort();
  }

  async #follow(stopped: AbortSignal): Promise<void> {
    this.#onState('connecting');
    for (let failures = 0; !stopped.aborted; failures += 1) {
      try {
        await this.#read(stopped, () => {
          failures = 0;
          this.#onState('live');
        });
      } catch (error) {
        if (stopped.aborted) return;
        if (error instanceof RequestFailure && error.isLocked) return this.#onState('locked');
      }
      if (stopped.aborted) return;
      this.#onState('broken');
      await pause(PAUSES[Math.min(failures, PAUSES.length - 1)] ?? 0);
    }
  }

  /** Reads until the connection ends, is stopped, or is silent for too long. */
  async #read(stopped: AbortSignal, onBegin: () => void): Promise<void> {
    const silence = new AbortController();
    const signal = AbortSignal.any([stopped, silence.signal]);
    let timer = 0;
    const listen = () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => silence.abort(), SILENCE_MS);
    };
    listen();
    try {
      const response = await ask('/api/live', { signal, headers: { 'last-event-id': this.#lastId } });
      let hasBegun = false;
      let fields: Record<string, string> = {};
      for await (const line of lines(response)) {
        listen();
        if (line !== '') {
          const colon = line.indexOf(':');
          if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
          continue;
        }
        this.#emit(fields);
        fields = {};
        // The first event says where the rows begin: what is asked for from then on lacks none of them.
        if (!hasBegun) onBegin();
        hasBegun = true;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #emit({ event, data, id }: { event?: string; data?: string; id?: string }): void {
    if (id !== undefined) this.#lastId = id;
    if (event === undefined || data === undefined) return;
    const value: unknown = JSON.parse(data);
    for (const listener of this.#listeners.get(event as EventName) ?? []) listener(value);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
