import { formatDuration } from '../../core/text.ts';
import type { RequestOutcome, RequestRecord } from '../requestRecord.ts';
import type { Span, Style } from './lines.ts';

/** Makes a text harmless for a terminal: names and errors come from clients and providers. */
type Sanitize = (text: string) => string;

const MARKS: Record<RequestOutcome, { readonly mark: string; readonly style: Style }> = {
  ok: { mark: '✓', style: 'good' },
  rejected: { mark: '✗', style: 'warning' },
  error: { mark: '✗', style: 'bad' },
  interrupted: { mark: '✗', style: 'bad' },
  client_closed: { mark: '○', style: 'warning' },
};

const MESSAGES = '/v1/messages';
/** Columns that a model's name and an error keep in a narrow terminal. */
const LEAST_NAME = 12;
const LEAST_ERROR = 24;

/** `456`, `12.3K`, `1.2M`. */
function compact(count: number): string {
  if (count < 1000) return String(count);
  const [size, unit] = count < 999_950 ? [count / 1000, 'K'] : [count / 1_000_000, 'M'];
  return `${Number(size.toFixed(1))}${unit}`;
}

function tokenText({ inputTokens, outputTokens, ...record }: RequestRecord): string | undefined {
  if (inputTokens === undefined && outputTokens === undefined) return undefined;
  const count = (tokens = 0) => `${record.usageEstimated === true ? '~' : ''}${compact(tokens)}`;
  const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0 } = record;
  return [
    `in ${count(inputTokens)}`,
    `out ${count(outputTokens)}`,
    read > 0 ? `cache read ${count(read)}` : '',
    written > 0 ? `cache write ${count(written)}` : '',
  ]
    .filter((text) => text !== '')
    .join(' ');
}

/** Nothing where nobody was asked or nothing came of it. */
function costText({ cost, attempts, outputTokens }: RequestRecord): string | undefined {
  if (cost === undefined) return attempts === undefined ? undefined : '$?';
  return cost === 0 && outputTokens === undefined ? undefined : `$${cost.toFixed(4)}`;
}

function shortDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : formatDuration(milliseconds);
}

function timeText({ durationMs, firstEventMs }: RequestRecord): string {
  const first = firstEventMs === undefined ? '' : `, first ${shortDuration(firstEventMs)}`;
  return `${shortDuration(durationMs)}${first}`;
}

function tierText({ tier, route, intent }: RequestRecord): string | undefined {
  const known = [tier === 'none' ? undefined : tier, route, intent === 'chat' ? undefined : intent].filter(
    (word) => word !== undefined,
  );
  return known.length === 0 ? undefined : known.join(' ');
}

function attemptsText({ attempts = 0 }: RequestRecord): string | undefined {
  return attempts > 1 ? `${attempts} attempts` : undefined;
}

/** Who was asked before, and why it did not answer. */
function fallbackText({ fallbacks = [] }: RequestRecord): string | undefined {
  if (fallbacks.length === 0) return undefined;
  return `fallback from ${fallbacks.map(({ from, reason }) => `${from} (${reason})`).join(', ')}`;
}

function errorText({ outcome, status, errorType, errorMessage }: RequestRecord): string | undefined {
  if (outcome === 'ok') return undefined;
  if (outcome === 'client_closed') return 'the client has gone';
  const words = [errorType, errorMessage].filter((word) => word !== undefined).join(': ');
  return outcome === 'interrupted' ? `broken off, ${words}` : `${status} ${words}`;
}

/** What a line says of one request after its time and its name, the more important the earlier. */
export function requestSpans(record: RequestRecord, sanitize: Sanitize): readonly (readonly Span[])[] {
  const { style } = MARKS[record.outcome];
  const asked = record.model ?? '';
  const used = record.upstreamModel ?? '';
  const models: Span[] = [
    { text: sanitize(asked), least: LEAST_NAME },
    ...(used === '' || used === asked
      ? []
      : [
          { text: ' → ', style: 'faint' as const },
          { text: sanitize(used), style: 'strong' as const, least: LEAST_NAME },
        ]),
  ];
  const span = (text: string | undefined, facts: Omit<Span, 'text'> = {}): Span[] =>
    text === undefined || text === '' ? [] : [{ text: sanitize(text), ...facts }];
  return [
    span(record.endpoint === MESSAGES ? undefined : record.endpoint.replace(/^\/v1\//, ''), { style: 'faint' }),
    span(tierText(record), { style: 'faint' }),
    asked === '' ? [] : models,
    span(errorText(record), { style, least: LEAST_ERROR }),
    span(fallbackText(record), { style: 'warning', least: LEAST_ERROR }),
    span(tokenText(record)),
    span(costText(record)),
    span(timeText(record), { style: 'faint' }),
    span(attemptsText(record), { style: 'warning' }),
    span(record.id, { style: 'faint' }),
  ].filter((spans) => spans.length > 0);
}

export function outcomeMark({ outcome }: RequestRecord): Span {
  const { mark, style } = MARKS[outcome];
  return { text: mark, style };
}
