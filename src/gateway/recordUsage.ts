import type { Usage } from '../protocol/delta.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';

/** Writes into the log line what the provider has counted of an answer that is handed on. */
export function recordUsage(record: RequestRecord, usage: Usage, isEnded: boolean): void {
  record.inputTokens = usage.input;
  record.cacheReadTokens = usage.cacheRead;
  record.cacheCreationTokens = usage.cacheCreation;
  record.outputTokens = usage.output;
  record.reasoningTokens = usage.reasoning;
  // What the provider had counted so far is less than what it will bill.
  if (!isEnded) record.usageEstimated = true;
}
