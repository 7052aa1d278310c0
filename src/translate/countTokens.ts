import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { contentTokens, PER_MESSAGE, toolTokens } from './contentTokens.ts';

/**
 * The input of a request in tokens, estimated without a tokenizer: linear in the request, never throwing, at least 1 (R502).
 * `factor` is what a model's own figures have taught (see `createCalibration`).
 */
export function estimateTokens(request: MessagesRequest, factor = 1): number {
  let tokens = contentTokens(request['system']) + toolTokens(request['tools']);
  for (const message of request.messages) tokens += PER_MESSAGE + contentTokens(message.content);
  return Math.max(1, Math.ceil(tokens * factor));
}

/** Bounds of the factor: beyond them a figure is a fault of the provider's accounting, not of the estimate (R502). */
const FACTOR_MIN = 0.6;
const FACTOR_MAX = 1.8;

/** Share of a new observation once the first few have been averaged. */
const WEIGHT_MIN = 0.1;

interface Entry {
  factor: number;
  /** Observations so far, up to where the weight no longer changes. */
  count: number;
}

/** What has been learned about each model's tokenizer, as plain JSON. */
export type CalibrationSnapshot = Readonly<Record<string, Readonly<Entry>>>;

/** Learns how a model's own `prompt_tokens` compare with the estimate (R502). Losing it costs accuracy only. */
export interface Calibration {
  /** Takes in a finished request: the raw estimate and the provider's figure, in tokens. */
  observe(model: string, estimate: number, actual: number): void;
  /** What a raw estimate is to be multiplied by; 1 for a model not seen yet. */
  factor(model: string): number;
  snapshot(): CalibrationSnapshot;
  /** Takes a snapshot back; entries that are not one are left out. */
  restore(snapshot: unknown): void;
}

/** The first observations count as their plain mean, later ones as an exponential one, so that one outlier fades. */
export function createCalibration(): Calibration {
  const entries = new Map<string, Entry>();
  return {
    observe(model, estimate, actual) {
      if (!(estimate > 0 && actual > 0 && Number.isFinite(estimate) && Number.isFinite(actual))) return;
      const { factor, count } = entries.get(model) ?? { factor: 0, count: 0 };
      const weight = Math.max(1 / (count + 1), WEIGHT_MIN);
      const next = factor + weight * (clamp(actual / estimate) - factor);
      entries.set(model, { factor: next, count: Math.min(count + 1, 1 / WEIGHT_MIN) });
    },
    factor: (model) => entries.get(model)?.factor ?? 1,
    snapshot: () => Object.fromEntries([...entries].map(([model, entry]) => [model, { ...entry }])),
    restore(snapshot) {
      if (typeof snapshot !== 'object' || snapshot === null) return;
      for (const [model, entry] of Object.entries(snapshot)) {
        if (isEntry(entry)) entries.set(model, { factor: clamp(entry.factor), count: entry.count });
      }
    },
  };
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null || !('factor' in value) || !('count' in value)) return false;
  const { factor, count } = value;
  return typeof factor === 'number' && Number.isFinite(factor) && typeof count === 'number' && count > 0;
}

function clamp(factor: number): number {
  return Math.min(Math.max(factor, FACTOR_MIN), FACTOR_MAX);
}
