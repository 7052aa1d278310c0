import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { asNumber, asString, isObject } from '../core/json.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a hook learns of the request. */
export interface HookInfo {
  readonly instance: string;
  /** `req_...`, as in the log. */
  readonly id: string;
  /** Before the request is routed, the provider that is shown first; with the answer, the one that gave it. */
  readonly provider: string;
  /** The model that the client asked for. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The subagent's id. */
  readonly agent: string | undefined;
  /** A short hash of the session's id, as in the log. */
  readonly session: string | undefined;
}

/** The functions that a hooks file may export. */
export const hookNames = ['request', 'response'] as const;
export type HookName = (typeof hookNames)[number];

/**
 * The user's own functions (HOOKS_FILE) on requests and answers as JSON texts. What is wrong with them is logged, and then it is as
 * if there were none: nothing here rejects, and nothing takes longer than the time limit.
 */
export interface Hooks {
  /** Whether a call of the hook may do anything. */
  has(name: HookName): boolean;
  /** Gives the changed text; undefined when the hook leaves it as it is. */
  call(name: HookName, text: string, info: HookInfo): Promise<string | undefined>;
  /** Takes no more calls; resolves when those under way are over. */
  close(): Promise<void>;
}

/** A message of the hooks' thread. */
export type WorkerReply =
  | { readonly kind: 'loaded'; readonly names: readonly HookName[] }
  | { readonly kind: 'broken'; readonly failure: HookFailure }
  | { readonly kind: 'done'; readonly id: number; readonly changed: string | undefined }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: HookFailure };

/** Why a hook failed, and where: `hooks.mjs:12`. */
export interface HookFailure {
  readonly reason: string;
  readonly at: string | undefined;
}

/** An error's words may be a whole conversation. */
const MOST_LETTERS = 200;
/** A file of the user's in a stack; the runtime's own have no address of a file. */
const SOURCE_LOCATION = /file:\/\/[^\s()]*?([^/\s()]+:\d+):\d+/;

function readFailure(value: unknown): HookFailure {
  const { reason, stack } = isObject(value) ? value : {};
  return {
    reason: (asString(reason) ?? 'unknown').slice(0, MOST_LETTERS),
    at: SOURCE_LOCATION.exec(asString(stack) ?? '')?.[1],
  };
}

/** Reads a message of the hooks' thread; undefined for one that the user's module has sent by itself. */
export function readWorkerReply(message: unknown): WorkerReply | undefined {
  if (!isObject(message)) return undefined;
  const { id, loaded, broken, changed, failure } = message;
  if (Array.isArray(loaded)) return { kind: 'loaded', names: hookNames.filter((name) => loaded.includes(name)) };
  if (broken !== undefined) return { kind: 'broken', failure: readFailure(broken) };
  const call = asNumber(id);
  if (call === undefined) return undefined;
  return failure === undefined
    ? { kind: 'done', id: call, changed: asString(changed) }
    : { kind: 'failed', id: call, failure: readFailure(failure) };
}

/**
 * What runs in the hooks' thread, as text: the executable has no second file that a thread could start from. It loads the user's
 * module (`workerData.url`), says which hooks it has, and answers each call with the changed JSON text, if it was changed.
 */
export const WORKER_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');

const isObject = (value) => typeof value === 'object' && value !== null;
const forms = {
  request: (value) => isObject(value) && typeof value.model === 'string' && Array.isArray(value.messages),
  response: (value) => isObject(value) && value.type === 'message' && Array.isArray(value.content),
};
const describe = (error) => ({ reason: String(error), stack: String(isObject(error) ? error.stack : '') });

async function run(hook, name, text, info) {
  const value = JSON.parse(text);
  // As it was: the hook may change the value in place and yet return it.
  const before = JSON.stringify(value);
  const result = await hook(value, info);
  if (result === undefined) return undefined;
  if (!forms[name](result)) throw new TypeError('it returned something that is no ' + name);
  const after = JSON.stringify(result);
  return after === before ? undefined : after;
}

import(workerData.url).then(
  (hooks) => {
    parentPort.on('message', ({ id, name, text, info }) => {
      run(hooks[name], name, text, info).then(
        (changed) => parentPort.postMessage({ id, changed }),
        (error) => parentPort.postMessage({ id, failure: describe(error) }),
      );
    });
    parentPort.postMessage({ loaded: workerData.names.filter((name) => typeof hooks[name] === 'function') });
  },
  (error) => parentPort.postMessage({ broken: describe(error) }),
);
`;

export interface HookThreadOptions {
  /** Absolute path of the user's module. */
  readonly file: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Most that a call may hold a request up, in ms; a second unless stated. */
  readonly limitMs: number | undefined;
  /** The module is loaded, for the first time or into a new thread. */
  readonly onLoaded: () => void;
  /** The module cannot be loaded: from now on there are no hooks in it. */
  readonly onBroken: (failure: HookFailure) => void;
}

interface Call {
  readonly name: HookName;
  readonly requestId: string;
  readonly timer: NodeJS.Timeout;
  readonly answer: Promise<string | undefined>;
  readonly resolve: (changed: string | undefined) => void;
}

const LIMIT_MS = 1000;
const LOAD_LIMIT_MS = 10_000;

/**
 * Loads a hooks file at once and runs its functions in a thread of their own, so that even an endless loop can be ended: a call that runs out of time ends
 * the thread, with whatever else it was doing, and the next call starts another.
 */
export class HookThread implements Hooks {
  readonly #options: HookThreadOptions;
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  /** Until the module is loaded, any. */
  #names: readonly HookName[] = hookNames;
  #isOver = false;
  #worker: Worker | undefined;
  #loadTimer: NodeJS.Timeout | undefined;

  constructor(options: HookThreadOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  has(name: HookName): boolean {
    return !this.#isOver && this.#names.includes(name);
  }

  call(name: HookName, text: string, info: HookInfo): Promise<string | undefined> {
    if (!this.has(name)) return Promise.resolve(undefined);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    this.#lastCall += 1;
    const id = this.#lastCall;
    const { promise: answer, resolve } = Promise.withResolvers<string | undefined>();
    const timer = setTimeout(() => this.#timeOut(id), this.#options.limitMs ?? LIMIT_MS);
    this.#calls.set(id, { name, requestId: info.id, timer, answer, resolve });
    worker.postMessage({ id, name, text, info });
    return answer;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#calls.values()].map(({ answer }) => answer));
    this.#end('the hooks file was left');
  }

  #start(): Worker {
    const { file } = this.#options;
    const worker = new Worker(WORKER_SOURCE, {
      eval: true,
      name: 'hooks',
      workerData: { url: pathToFileURL(file).href, names: hookNames },
    });
    worker.unref();
    worker.on('message', (message: unknown) => {
      const reply = worker === this.#worker ? readWorkerReply(message) : undefined;
      if (reply !== undefined) this.#handleReply(reply);
    });
    worker.on('error', (error) => this.#handleExit(worker, String(error)));
    worker.on('exit', () => this.#handleExit(worker, 'it ended its thread'));
    this.#loadTimer = setTimeout(() => this.#giveUp({ reason: 'it takes too long', at: undefined }), LOAD_LIMIT_MS);
    this.#loadTimer.unref();
    return worker;
  }

  #handleReply(reply: WorkerReply): void {
    switch (reply.kind) {
      case 'loaded':
        this.#stopLoading();
        this.#names = reply.names;
        if (reply.names.length === 0) this.#giveUp({ reason: 'it exports no request and no response', at: undefined });
        else this.#options.onLoaded();
        break;
      case 'broken':
        this.#giveUp(reply.failure);
        break;
      case 'done':
        this.#settle(reply.id, reply.changed);
        break;
      case 'failed':
        this.#fail(reply.id, reply.failure);
        break;
    }
  }

  #timeOut(id: number): void {
    const { limitMs = LIMIT_MS } = this.#options;
    const isLoading = this.#loadTimer !== undefined;
    this.#fail(id, { reason: `it took longer than ${limitMs} ms`, at: undefined });
    if (!isLoading) this.#end('another call took too long, and its thread was ended');
  }

  /** The thread has ended by itself. */
  #handleExit(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return;
    if (this.#loadTimer !== undefined) this.#giveUp({ reason, at: undefined });
    else this.#end(reason);
  }

  /** A file that cannot be loaded would only fail again. */
  #giveUp(failure: HookFailure): void {
    this.#isOver = true;
    this.#options.onBroken(failure);
    for (const id of [...this.#calls.keys()]) this.#settle(id, undefined);
    this.#end('the hooks file cannot be used');
  }

  #end(reason: string): void {
    this.#stopLoading();
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    for (const id of [...this.#calls.keys()]) this.#fail(id, { reason, at: undefined });
  }

  #stopLoading(): void {
    clearTimeout(this.#loadTimer);
    this.#loadTimer = undefined;
  }

  #fail(id: number, { reason, at }: HookFailure): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { logger } = this.#options;
    logger.warn(`the ${call.name} hook failed, and all goes on without it`, { id: call.requestId, at, reason });
    this.#settle(id, undefined);
  }

  #settle(id: number, changed: string | undefined): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    clearTimeout(call.timer);
    call.resolve(changed);
  }
}

/** The hooks of an instance whose configuration may change while it runs: a file that cannot be loaded leaves the one before at work. */
export class ReloadableHooks implements Hooks {
  readonly #logger: Pick<Logger, 'warn' | 'error'>;
  readonly #limitMs: number | undefined;
  #current: HookThread | undefined;
  /** The one that was asked for last, until it is loaded. */
  #next: HookThread | undefined;

  /** @param limitMs most that a call may hold a request up */
  constructor(logger: Pick<Logger, 'warn' | 'error'>, limitMs?: number) {
    this.#logger = logger;
    this.#limitMs = limitMs;
  }

  /** Whether no hook will do anything. */
  get areIdle(): boolean {
    return this.#current === undefined || !hookNames.some((name) => this.has(name));
  }

  /** Loads a file, also one that is loaded already, to take the place of what is there; without one there are no hooks any more. */
  use(file: string | undefined): void {
    if (this.#next !== this.#current) void this.#next?.close();
    const thread = file === undefined ? undefined : this.#load(file);
    this.#next = thread;
    // With nobody else to ask, calls wait for it.
    if (thread === undefined || this.#current === undefined) this.#replace(thread);
  }

  has(name: HookName): boolean {
    return this.#current?.has(name) === true;
  }

  call(name: HookName, text: string, info: HookInfo): Promise<string | undefined> {
    return this.#current?.call(name, text, info) ?? Promise.resolve(undefined);
  }

  async close(): Promise<void> {
    await Promise.all([this.#current?.close(), this.#next?.close()]);
  }

  #load(file: string): HookThread {
    const thread = new HookThread({
      file,
      logger: this.#logger,
      limitMs: this.#limitMs,
      onLoaded: () => {
        if (this.#next === thread) this.#replace(thread);
      },
      onBroken: ({ reason, at }) => {
        const isAlone = this.#current === thread;
        if (isAlone) this.#current = undefined;
        const rest = isAlone ? 'requests go on without hooks' : 'the one before goes on';
        this.#logger.error(`the hooks file cannot be used until it is changed; ${rest}`, { file, at, reason });
      },
    });
    return thread;
  }

  #replace(thread: HookThread | undefined): void {
    if (this.#current !== thread) void this.#current?.close();
    this.#current = thread;
  }
}
