import { asNumber, asString, isObject } from '../core/json.ts';
import { type HookName, hookNames } from './hooks.ts';

/** What the hooks' thread says. */
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
const PLACE = /file:\/\/[^\s()]*?([^/\s()]+:\d+):\d+/;

function readFailure(value: unknown): HookFailure {
  const { reason, stack } = isObject(value) ? value : {};
  return { reason: (asString(reason) ?? 'unknown').slice(0, MOST_LETTERS), at: PLACE.exec(asString(stack) ?? '')?.[1] };
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
