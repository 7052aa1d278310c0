import { forInstance, suggestionsFor } from '../../core/errors.ts';
import { parseObject } from '../../core/json.ts';
import { terminalSafe } from '../../core/text.ts';
import { type RequestRecord, readRequest } from '../../telemetry/requestRecord.ts';
import type { LogEntry } from '../logs/logEntries.ts';
import { jsonEntry } from '../logs/logView.ts';
import type { RequestDetail } from './records.ts';
import { rowOf } from './requestIndex.ts';

/** What each line of the router means, by the name that the log has for it. */
const ROUTES: Readonly<Record<string, string>> = {
  named: 'The client has named this model, which therefore has no fallback.',
  long_context: 'ROUTER_LONG_CONTEXT: the input is at least as long as LONG_CONTEXT_THRESHOLD.',
  subagent: 'ROUTER_SUBAGENT: a subagent has asked.',
  background: 'ROUTER_BACKGROUND: the small model was asked for.',
  web_search: 'ROUTER_WEB_SEARCH: a web search was the only purpose.',
  think: 'ROUTER_THINK: thinking was asked for.',
  default: 'ROUTER_DEFAULT: no other line of the router held.',
  image: 'ROUTER_IMAGE: there were images, which the model that was asked for does not see.',
};

/** The page of the documentation that has more, by the type of the error. */
const PAGES: Readonly<Record<string, string>> = {
  not_found_error: 'docs/ROUTING.md',
  authentication_error: 'docs/PROVIDERS.md',
  timeout_error: 'docs/TROUBLESHOOTING.md',
  overloaded_error: 'docs/TROUBLESHOOTING.md',
};

/** Why a request went the way that it did, a sentence each. */
function explain(record: RequestRecord): string[] {
  const { route, tier, model, upstreamModel, attempts, fallbacks = [], notes = [], outcome } = record;
  const asked = model ?? 'The model';
  const ofTier = tier === undefined || tier === 'none' ? [] : [`${asked} stands for the ${tier} model.`];
  const failed = fallbacks.map(({ from, reason }) => `${from} was asked before, and failed: ${reason}`);
  const used = upstreamModel === undefined ? '' : `${record.provider} was asked for ${upstreamModel}`;
  const often = attempts !== undefined && attempts > 1 ? `; in all, providers were asked ${attempts} times` : '';
  return [
    ...(route === undefined ? ofTier : [ROUTES[route] ?? `The line ${route} of the router held.`]),
    ...failed,
    ...(outcome === 'rejected' ? ['It was refused before a provider was asked.'] : []),
    ...(used === '' ? [] : [`${used}${often}.`]),
    ...(notes.length === 0 ? [] : [`What was adapted on the way: ${notes.join(', ')}.`]),
  ];
}

/** One request in full, from its line of the log. */
export function describeRequest(entry: LogEntry): RequestDetail | undefined {
  const row = rowOf(entry, 0);
  if (row === undefined || entry.record === undefined) return undefined;
  const record = readRequest(entry.record);
  const { durationMs, firstEventMs = durationMs, errorType, errorMessage = '', status } = record;
  return {
    record: parseObject(jsonEntry(entry)) ?? {},
    row,
    why: explain(record).map(terminalSafe),
    times: { waiting_ms: firstEventMs, streaming_ms: Math.max(0, durationMs - firstEventMs) },
    tokens: {
      fresh: record.inputTokens ?? null,
      cached: record.cacheReadTokens ?? null,
      written: record.cacheWriteTokens ?? null,
      output: record.outputTokens ?? null,
      reasoning: record.reasoningTokens ?? null,
      estimated: record.usageEstimated === true,
    },
    error:
      errorType === undefined
        ? null
        : {
            status,
            type: terminalSafe(errorType),
            message: terminalSafe(errorMessage),
            remedies: forInstance(suggestionsFor(errorType), entry.instance),
            page: PAGES[errorType] ?? 'docs/ERRORS.md',
          },
  };
}
