/**
 * The JSON form of OpenTelemetry's protocol, https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding (read on 2026-11-30): names in
 * lowerCamelCase, ids as hexadecimal text, whole numbers of 64 bits as decimal text, enumerations as numbers.
 */
export type AttributeValue = string | number | boolean | readonly string[] | undefined;
export type Attributes = Readonly<Record<string, AttributeValue>>;

interface EncodedValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly EncodedValue[] };
}

export interface EncodedAttribute {
  readonly key: string;
  readonly value: EncodedValue;
}

function encodeValue(value: Exclude<AttributeValue, undefined>): EncodedValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'object') return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Attributes as the protocol has them; what is undefined is left out. */
export function encodeAttributes(attributes: Attributes): readonly EncodedAttribute[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: encodeValue(value) }],
  );
}

/** A moment in ms since 1970 as nanoseconds, in decimal digits: the number itself would be too large to be exact. */
export function encodeTime(milliseconds: number): string {
  return `${Math.max(0, Math.round(milliseconds))}000000`;
}

/** Who writes spans and metrics. */
export interface Origin {
  readonly resource: Attributes;
  readonly version: string;
}

const SCOPE = 'claude-code-proxy';

/** A request to a collector for traces: spans of one process. */
export function encodeSpans({ resource, version }: Origin, spans: readonly object[]): string {
  const scopeSpans = [{ scope: { name: SCOPE, version }, spans }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: encodeAttributes(resource) }, scopeSpans }] });
}

/** The same for metrics. */
export function encodeMetrics({ resource, version }: Origin, metrics: readonly object[]): string {
  const scopeMetrics = [{ scope: { name: SCOPE, version }, metrics }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: encodeAttributes(resource) }, scopeMetrics }] });
}
