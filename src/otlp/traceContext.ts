import { randomBytes } from 'node:crypto';

/** To which trace a span belongs, as the headers of W3C say it: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits; of the span that has asked. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** A parent's text is longer only in versions to come. */
const LONGEST_PARENT = 512;
const SAMPLED = 1;

/** Reads a `traceparent` header; undefined for one that a standard-abiding sender does not write. */
export function parseTraceParent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length > LONGEST_PARENT) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACE_PARENT.exec(header) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** The `traceparent` header of what a span asks for. */
export function formatTraceParent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

/** By OTEL_TRACES_SAMPLER: which traces are kept. */
export interface Sampler {
  /** Whether a trace that a client has begun is kept when the client keeps it, and only then. */
  readonly followsParent: boolean;
  /** Share of the other traces that is kept, from 0 to 1. */
  readonly ratio: number;
}

const LARGEST = 2 ** 56;

/** Whether a trace is kept. All who share a ratio come to the same, as it depends on the trace's id alone. */
export function shouldSample(
  { followsParent, ratio }: Sampler,
  traceId: string,
  parent: TraceContext | undefined,
): boolean {
  if (followsParent && parent !== undefined) return parent.isSampled;
  return ratio >= 1 || Number.parseInt(traceId.slice(-14), 16) < ratio * LARGEST;
}
