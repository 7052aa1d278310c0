import { suggestionsFor } from '../../core/errors.ts';
import type { Prices } from '../../providers/preset.ts';
import { environmentName, type QuirkName, type QuirkSettings } from '../../quirks/settings.ts';
import { costOf } from '../../telemetry/usage/cost.ts';
import type { Answer, AnswerError, AnswerUsage } from './messagesClient.ts';

export type ResultKind = 'ok' | 'warn' | 'fail' | 'skipped';

/** What became of one check. */
export interface TestResult {
  readonly result: ResultKind;
  /** What was seen, for people. */
  readonly detail: string;
  /** Lines for the env file, like `QUIRK_VISION=false`, that may help; empty when there is none. */
  readonly quirks: readonly string[];
  /** Sentences on what else to try. */
  readonly suggestions: readonly string[];
}

function testResult(result: ResultKind, detail: string, quirks: readonly string[] = []): TestResult {
  return { result, detail, quirks, suggestions: [] };
}

export const ok = (detail: string) => testResult('ok', detail);
export const warn = (detail: string, ...quirks: string[]) => testResult('warn', detail, quirks);
export const fail = (detail: string, ...quirks: string[]) => testResult('fail', detail, quirks);
export const skipped = (reason: string) => testResult('skipped', reason);

/** The line of an env file that sets a quirk. */
export function quirk(name: QuirkName, value: string): string {
  return `${environmentName(name)}=${value}`;
}

/**
 * An answer that is an error. Quirks help only where the provider refused the request as such; a limit of the rate says
 * nothing about what was to be checked.
 */
export function failFromError(error: AnswerError, ...quirks: string[]): TestResult {
  const suggestions = suggestionsFor(error.type);
  if (error.type === 'rate_limit_error') return { ...warn(`not known: ${error.message}`), suggestions };
  if (error.type === 'invalid_request_error' && quirks.length > 0) return fail(error.message, ...quirks);
  return { ...fail(error.message), suggestions };
}

const SHOWN = 60;

/** The beginning of the model's reply, in one line. */
export function describeReply({ text, stopReason }: Answer): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  if (shown !== '') return `the model said “${shown}”`;
  return stopReason === 'max_tokens' ? 'the output limit came before any words' : 'the model said nothing';
}

/** Who has seen a picture. Whether the provider refused it, so that another model described it, the answer does not say. */
export function describeSight(modelSees: boolean, vision: string | undefined): string {
  if (!modelSees) return `described by ${vision}`;
  return vision === undefined ? 'the model sees' : `the model sees, or ${vision} described it`;
}

/** One line of the table. */
export interface TestRow extends TestResult {
  readonly check: string;
  /** How long the check took; undefined when nothing was asked. */
  readonly ms: number | undefined;
}

export function testRow(check: string, result: TestResult, ms?: number): TestRow {
  return { check, ms, ...result };
}

/** What a test has used up. */
export interface Spending extends AnswerUsage {
  readonly requests: number;
  /** Undefined when a model has no known price. */
  readonly dollars: number | undefined;
}

export const NO_SPENDING: Spending = { requests: 0, input: 0, cacheRead: 0, cacheWrite: 0, output: 0, dollars: 0 };

/** Adds one answer to what was spent before. An answer without tokens costs nothing, whatever its model. */
export function addSpending(before: Spending, usage: AnswerUsage, prices: Prices | undefined, at?: number): Spending {
  const cost = costOf(usage, prices, at);
  return {
    requests: before.requests + 1,
    input: before.input + usage.input,
    cacheRead: before.cacheRead + usage.cacheRead,
    cacheWrite: before.cacheWrite + usage.cacheWrite,
    output: before.output + usage.output,
    dollars: before.dollars === undefined || cost === undefined ? undefined : before.dollars + cost,
  };
}

/** `3 requests, 5210 tokens in (4992 cached), 120 out, about $0.0031`. */
export function describeSpending({ requests, input, cacheRead, cacheWrite, output, dollars }: Spending): string {
  const cached = cacheRead === 0 ? '' : ` (${cacheRead} cached)`;
  const price = dollars === undefined ? 'price unknown' : `about $${dollars.toFixed(4)}`;
  const count = requests === 1 ? '1 request' : `${requests} requests`;
  return `${count}, ${input + cacheRead + cacheWrite} tokens in${cached}, ${output} out, ${price}`;
}

/** What is tested, as far as the checks ask for it. */
export interface TestedModel {
  readonly settings: QuirkSettings;
  /** Largest request that the instance takes. */
  readonly maxBodyBytes: number;
  /** A server that usually stands on the user's own machine. */
  readonly isLocal: boolean;
  /** Who describes pictures where the model sees none; undefined where nobody does. */
  readonly vision?: string | undefined;
  /** Who searches the web for Claude Code; undefined where nobody does. */
  readonly searchesBy?: string | undefined;
}
