import type { RequestRecord } from '../telemetry/requestRecord.ts';

/** The headers of a client that say to which trace its request belongs. */
export interface TraceHeaders {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** An attempt to get an answer from a provider. */
export interface TracedAttempt {
  readonly provider: string;
  readonly model: string;
  /** The address that is asked. */
  readonly baseUrl: string;
}

/** How an attempt has ended. */
export interface AttemptOutcome {
  readonly isOk: boolean;
  /** The error's code, one of a few. */
  readonly errorType?: string | undefined;
}

/** The span of an attempt. */
export interface AttemptTrace {
  /** For the provider, so that its spans stand below this one. */
  readonly headers: Readonly<Record<string, string>>;
  end(outcome: AttemptOutcome): void;
}

/** The span of a request. */
export interface RequestTrace {
  /** Begins an attempt; `end` of what it gives must follow. */
  beginAttempt(attempt: TracedAttempt): AttemptTrace;
  /** @param record as it is logged */
  end(record: RequestRecord): void;
}

/** Follows requests; undefined in the services of an instance where nobody wants that. */
export interface Tracer {
  begin(headers: TraceHeaders): RequestTrace;
}
