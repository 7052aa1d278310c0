import type { RequestRecord } from '../telemetry/requestRecord.ts';

/** The provider's own figures, in tokens; `input` is what neither came from its cache nor went into it. */
export interface CountedUsage {
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheCreation: number;
  readonly output: number;
}

/** Writes into the log line what the provider has counted of an answer that is handed on. */
export function recordUsage(record: RequestRecord, usage: CountedUsage, isEnded: boolean): void {
  record.inputTokens = usage.input;
  record.cacheReadTokens = usage.cacheRead;
  record.cacheCreationTokens = usage.cacheCreation;
  record.outputTokens = usage.output;
  // What the provider had counted so far is less than what it will bill.
  if (!isEnded) record.usageEstimated = true;
}
