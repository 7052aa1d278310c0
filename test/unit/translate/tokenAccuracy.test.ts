import { countTokens as countCl100k } from 'gpt-tokenizer/encoding/cl100k_base';
import { countTokens as countO200k } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, test } from 'vitest';
import { parseCountRequest } from '../../../src/protocol/anthropic/request.ts';
import { createTokenCalibration } from '../../../src/translate/tokenCalibration.ts';
import { measureTokens } from '../../../src/translate/tokens.ts';
import { createTarget, translateToChat } from './createTarget.ts';
import { createTraffic, LEARNED } from './tokenTraffic.ts';

/** A stand-in for a provider: its tokenizer over what it gets, with four tokens around each message as chat templates have. */
function countPrompt(countText: (text: string) => number, request: object): number {
  const { messages, tools = [] } = translateToChat(parseCountRequest(request), createTarget()).body;
  const parts = [...messages, ...tools].map((part) => {
    const { content = '', tool_calls: calls = [], ...rest } = part as Record<string, unknown>;
    if ('type' in rest) return countText(JSON.stringify(part));
    const callTexts = (calls as { function: object }[]).map((call) => JSON.stringify(call.function));
    return 4 + [content as string, ...callTexts].reduce((sum, text) => sum + countText(text ?? ''), 0);
  });
  return parts.reduce((sum, tokens) => sum + tokens, 0);
}

interface Pair {
  readonly measured: ReturnType<typeof measureTokens>;
  readonly actual: number;
}

interface Errors {
  readonly mean: number;
  readonly worst: number;
}

function errorsOf(pairs: readonly Pair[], estimate: (pair: Pair) => number): Errors {
  const errors = pairs.map((pair) => Math.abs(estimate(pair) / pair.actual - 1));
  return { mean: errors.reduce((sum, error) => sum + error, 0) / errors.length, worst: Math.max(...errors) };
}

const percent = ({ mean, worst }: Errors) => `${(mean * 100).toFixed(1)} % / ${(worst * 100).toFixed(1)} %`;

const traffic = createTraffic();
// Some of the sources speak of special tokens; as a provider takes them, they are text.
const asText = { disallowedSpecial: new Set<string>() };
const models = {
  o200k: (text: string) => countO200k(text, asText),
  cl100k: (text: string) => countCl100k(text, asText),
};

describe.each(Object.entries(models))('R502 against the tokenizer %s', (model, countText) => {
  test.each(traffic)('$kind: the mean error after 20 requests is below $limit', ({ kind, limit, requests }) => {
    const pairs = requests.map(
      (request): Pair => ({
        measured: measureTokens(parseCountRequest(request)),
        actual: countPrompt(countText, request),
      }),
    );
    const calibration = createTokenCalibration();
    const estimate = ({ measured }: Pair) => calibration.estimate(model, measured);
    const later = pairs.slice(LEARNED);
    const before = errorsOf(later, estimate);
    for (const { measured, actual } of pairs.slice(0, LEARNED)) calibration.observe(model, measured, actual);
    const after = errorsOf(later, estimate);
    console.info(`${model}, ${kind}: mean / worst error ${percent(before)} -> ${percent(after)}`);
    expect(after.mean).toBeLessThan(limit);
    expect(after.worst).toBeLessThan(0.2);
  });
});
