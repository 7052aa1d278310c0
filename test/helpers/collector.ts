import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';

interface MessageType {
  verify(value: object): string | null;
  fromObject(value: object): object;
  toObject(message: object, options: object): Record<string, unknown>;
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): object;
}

/** The public definitions of the protocol, as a package has them that is generated from these. */
const { opentelemetry } = createRequire(import.meta.url)('@opentelemetry/otlp-transformer/build/src/generated/root.js');
const types: Readonly<Record<string, MessageType>> = {
  '/v1/traces': opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest,
  '/v1/metrics': opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest,
};

/** Ids are hexadecimal in the protocol's JSON, where other JSON of protobuf has Base64. */
const IDS = ['traceId', 'spanId', 'parentSpanId'];

function mapIds(value: unknown, map: (id: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => mapIds(one, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      IDS.includes(name) && typeof field === 'string' ? map(field) : mapIds(field, map),
    ]),
  );
}

/**
 * Takes a request through protobuf's bytes and back. What has no place in the definitions, or another type there, would be lost or
 * changed on the way, so that both must be the same.
 */
function checkBody(path: string, body: object): void {
  const type = types[path];
  if (type === undefined) throw new Error(`nothing is sent to ${path}`);
  const inBase64 = mapIds(body, (id) => {
    expect(id).toMatch(/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/);
    return Buffer.from(id, 'hex').toString('base64');
  }) as object;
  const message = type.decode(type.encode(type.fromObject(inBase64)).finish());
  expect(type.verify(message)).toBeNull();
  const back = type.toObject(message, { longs: String, bytes: String, enums: Number, json: true });
  expect(withoutEmpty(back)).toEqual(withoutEmpty(inBase64));
}

/** Protobuf has no place for what is empty. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [name, withoutEmpty(field)] as const);
  return Object.fromEntries(fields.filter(([, field]) => !(Array.isArray(field) && field.length === 0)));
}

interface EncodedValue {
  readonly stringValue?: string;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly EncodedValue[] };
}
type Encoded = readonly { readonly key: string; readonly value: EncodedValue }[];

function decodeValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: EncodedValue): unknown {
  return arrayValue?.values.map(decodeValue) ?? stringValue ?? doubleValue ?? boolValue ?? Number(intValue);
}

/** Attributes as an object. */
export function attributesOf(encoded: Encoded): Record<string, unknown> {
  return Object.fromEntries(encoded.map(({ key, value }) => [key, decodeValue(value)]));
}

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Encoded;
  readonly status: { readonly code?: number };
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly histogram: {
    readonly aggregationTemporality: number;
    readonly dataPoints: readonly { readonly attributes: Encoded; readonly count: string; readonly sum: number }[];
  };
}

export interface Collector {
  readonly url: string;
  readonly headers: IncomingHttpHeaders[];
  readonly resources: Record<string, unknown>[];
  readonly spans: ReceivedSpan[];
  readonly metrics: ReceivedMetric[];
  close(): void;
}

/**
 * An OpenTelemetry collector that checks all that it gets against the public definitions.
 * @param answer in place of an empty 200; what is answered otherwise is not counted as received
 */
export async function startCollector(
  answer: (response: ServerResponse, request: number) => boolean = () => false,
): Promise<Collector> {
  const collector = { headers: [], resources: [], spans: [], metrics: [] } as unknown as Collector;
  let requests = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    requests += 1;
    if (answer(response, requests)) return;
    const body = JSON.parse(Buffer.concat(parts).toString());
    try {
      checkBody(request.url ?? '', body);
    } catch (error) {
      response.writeHead(400).end();
      collector.resources.push({ error });
      return;
    }
    collector.headers.push(request.headers);
    for (const { resource, scopeSpans = [], scopeMetrics = [] } of body.resourceSpans ?? body.resourceMetrics) {
      collector.resources.push(attributesOf(resource.attributes));
      for (const { spans } of scopeSpans) collector.spans.push(...spans);
      for (const { metrics } of scopeMetrics) collector.metrics.push(...metrics);
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(collector, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
}
