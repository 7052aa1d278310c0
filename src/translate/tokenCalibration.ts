import { ApiError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { TokenParts } from './tokens.ts';

interface Range {
  readonly min: number;
  readonly max: number;
}

/** Bounds of the factors: a figure beyond them is a fault of the provider's accounting, not of the estimate, and teaches nothing. */
const IDEOGRAPHS: Range = { min: 0.5, max: 3 };
const REST: Range = { min: 0.6, max: 1.8 };

/** Variance of what one request costs around what its parts let expect: texts of one kind differ so much. */
const NOISE = 0.02;
/**
 * What a model's template may add to a request beside its text, in tokens: in a short one it is most of what is counted, in a long
 * one nothing. So the weight of a request grows with its size, and one below the least size has none.
 */
const TEMPLATE_TOKENS = 250;
const LEAST_TOKENS = 500;
/** What the variance of a factor grows by with each request that teaches, so that a model that has changed is learned anew. */
const DRIFT = 0.0005;
/** Variance of a factor of which nothing is known. */
const UNKNOWN = 1;

/** Names of models come from clients: so many are remembered, those that were used last, and none that is longer. */
const MODELS_MAX = 200;
const NAME_MAX = 400;

interface Factor {
  readonly value: number;
  readonly variance: number;
}

type Factors = Readonly<Record<keyof TokenParts, Factor>>;

const INITIAL: Factors = { ideographs: { value: 1, variance: UNKNOWN }, rest: { value: 1, variance: UNKNOWN } };

/** What has been learned about each model's tokenizer, as plain JSON. */
export type TokenCalibrationSnapshot = Readonly<Record<string, Factors>>;

/** Learns how a model's own `prompt_tokens` compare with the estimate. Losing it costs accuracy only. */
export interface TokenCalibration {
  /** Takes in a finished request: what was measured, and the provider's figure in tokens. */
  observe(model: string, measured: Readonly<TokenParts>, actual: number): void;
  /** The tokens that the model is expected to count for what was measured: a whole number, at least 1. */
  estimate(model: string, measured: Readonly<TokenParts>): number;
  snapshot(): TokenCalibrationSnapshot;
  /** Takes a snapshot back; entries that are not one are left out. */
  restore(snapshot: unknown): void;
}

/** One factor for each part and model: a Chinese text teaches nothing about English, nor the other way round. */
export function createTokenCalibration(): TokenCalibration {
  const models = new Map<string, Factors>();
  const keep = (model: string, factors: Factors): void => {
    if (model.length > NAME_MAX) return;
    models.delete(model);
    models.set(model, factors);
    const [oldest] = models.keys();
    if (models.size > MODELS_MAX && oldest !== undefined) models.delete(oldest);
  };
  return {
    observe(model, measured, actual) {
      const total = measured.ideographs + measured.rest;
      if (!(total >= LEAST_TOKENS && actual > 0 && Number.isFinite(total) && Number.isFinite(actual))) return;
      const share = measured.ideographs / total;
      const ratio = actual / total;
      if (isBelievable(ratio, share)) keep(model, learn(models.get(model) ?? INITIAL, share, ratio, total));
    },
    estimate(model, { ideographs, rest }) {
      const factors = models.get(model) ?? INITIAL;
      return Math.max(1, Math.ceil(ideographs * factors.ideographs.value + rest * factors.rest.value));
    },
    snapshot: () => Object.fromEntries(models),
    restore(snapshot) {
      if (!isObject(snapshot)) return;
      for (const [model, entry] of Object.entries(snapshot)) {
        if (!isObject(entry)) continue;
        const ideographs = readFactor(entry['ideographs'], IDEOGRAPHS);
        const rest = readFactor(entry['rest'], REST);
        if (ideographs !== undefined && rest !== undefined) keep(model, { ideographs, rest });
      }
    },
  };
}

/** Whether a text with this share of ideographs may cost so much per estimated token. */
function isBelievable(ratio: number, share: number): boolean {
  const least = share * IDEOGRAPHS.min + (1 - share) * REST.min;
  const most = share * IDEOGRAPHS.max + (1 - share) * REST.max;
  return ratio >= least && ratio <= most;
}

/**
 * A Kalman filter of two values that are taken for independent: what the estimate was wrong by goes to the part that had the
 * larger share and is less well known. `share` is that of the ideographs, `ratio` what the model counted per estimated token, `total`
 * the size of the request in estimated tokens.
 */
function learn({ ideographs, rest }: Factors, share: number, ratio: number, total: number): Factors {
  const others = 1 - share;
  const error = ratio - share * ideographs.value - others * rest.value;
  const noise = NOISE + (TEMPLATE_TOKENS / total) ** 2;

  const variance = noise + share ** 2 * ideographs.variance + others ** 2 * rest.variance;
  const correct = (factor: Factor, weight: number, range: Range): Factor => {
    const gain = (weight * factor.variance) / variance;
    return {
      value: clamp(factor.value + gain * error, range),
      variance: Math.min(factor.variance * (1 - gain * weight) + DRIFT, UNKNOWN),
    };
  };
  return { ideographs: correct(ideographs, share, IDEOGRAPHS), rest: correct(rest, others, REST) };
}

function readFactor(entry: unknown, range: Range): Factor | undefined {
  if (!isObject(entry)) return undefined;
  const { value, variance } = entry;
  if (typeof value !== 'number' || typeof variance !== 'number' || !(variance > 0)) return undefined;
  return { value: clamp(value, range), variance: Math.min(variance, UNKNOWN) };
}

function clamp(value: number, { min, max }: Range): number {
  return Math.min(Math.max(value, min), max);
}

// Servers with the quirk `silentTruncation` cut a prompt that is too long for them, and say nothing: the answer then knows neither the
// system prompt nor the beginning of the conversation, and the usage is that of what was left.

type Window = Pick<QuirkSettings, 'contextWindow'>;

/** How far above the window an estimate must be, as a factor, to be more than an error of the estimate. */
const CLEARLY_OVER = 1.2;
/** Below this part of the estimate a figure shows a prompt that was cut. */
const CLEARLY_CUT = 0.75;
/** A prompt below this part of the window is surely sent whole. */
const SURELY_WHOLE = 0.8;

/**
 * Refuses a request that such a server would cut, in the words upon which the client compacts its conversation.
 * @param estimate of the input, in tokens
 * @throws ApiError `context_overflow`
 */
export function refuseSilentTruncation(estimate: number, { contextWindow }: Window): void {
  if (contextWindow === undefined || estimate <= contextWindow * CLEARLY_OVER) return;
  throw new ApiError('context_overflow', `prompt is too long: ${estimate} tokens > ${contextWindow} maximum`);
}

/**
 * Whether the server has cut the prompt, as its figure shows: nothing can be learned from that.
 * @param promptTokens what the server counted
 */
export function wasCutSilently(promptTokens: number, estimate: number, { contextWindow = 0 }: Window): boolean {
  return promptTokens < estimate * CLEARLY_CUT && estimate > contextWindow * SURELY_WHOLE;
}

/** What stands in the log then. */
export const CUT_NOTE = 'the server has probably cut the input: set QUIRK_CONTEXT_WINDOW to its context';
