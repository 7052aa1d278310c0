import type { ApiError } from '../core/errors.ts';

/** Response headers as they arrive: lower-case names. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

export interface UpstreamRequest {
  /** JSON of the request, as text or as the bytes that came from the client. */
  readonly body: string | Uint8Array;
  readonly stream: boolean;
  /** The provider's name of the model, for addresses that contain it. */
  readonly model: string;
  /** Value of the header that carries the key; undefined when the provider needs none. */
  readonly authorization: string | undefined;
  /** The full address in place of the provider's usual one; `{model}` in it stands for the model's name. */
  readonly endpoint?: string;
  /** What follows the path of the address: a path below it, a query with its question mark, or both. */
  readonly suffix?: string;
  /** An address that is asked with GET in place of all that, without a body. */
  readonly lookUp?: string;
  /** Further headers, lower-case names; they replace the upstream's own of the same name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Called synchronously as bytes arrive (streams are pushed: decision 0004), but never before `send` has returned. Exactly one
 * of onEnd and onError comes last. None of them may throw: there is nobody to catch it.
 */
export interface UpstreamHandler {
  onHead(status: number, headers: ResponseHeaders): void;
  onData(bytes: Uint8Array): void;
  onEnd(): void;
  onError(error: Error): void;
}

/** A request under way. After `abort` no handler is called any more. */
export interface UpstreamCall {
  abort(): void;
  pause(): void;
  resume(): void;
}

/** Where answers come from: a provider over HTTP, or the built-in demo. */
export interface Upstream {
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamCall;
  close(): Promise<void>;
}

/** What goes to the client: text, or bytes as they came. */
export type Output = string | Uint8Array;

/** Reads an answer and turns it into output for the client; `Translator` in `translate/response/` is one. */
export interface AnswerReader {
  pushBytes(bytes: Uint8Array): Output;
  pushJson(text: string): Output;
  end(): Output;
  settle(): Output;
  /** Leaves an error in the outcome, unless the answer was complete but for its end. */
  fail(error: ApiError): Output;
  readonly outcome: {
    readonly ended: boolean;
    readonly finished: boolean;
    readonly empty: boolean;
    readonly error?: ApiError | undefined;
  };
}

/** How an answer stands before its first byte, to be kept by a reader that hands it on. */
export function openOutcome(): { ended: boolean; finished: boolean; empty: boolean; error?: ApiError } {
  return { ended: false, finished: false, empty: false };
}
