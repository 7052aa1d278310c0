import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import type { OpenaiProtocol, QuirkSettings } from '../../../../src/quirks/settings.ts';
import { RefusedReasoning } from '../../../../src/translate/request/reasoningReplay.ts';
import { translateRequest } from '../../../../src/translate/request/request.ts';
import { presetSettings } from '../../../helpers/presetSettings.ts';
import { createResponsesTarget, createTarget } from '../createTarget.ts';
import { deepFreeze } from '../deepFreeze.ts';

interface Input {
  /** `chat` unless it says otherwise. */
  protocol?: OpenaiProtocol;
  /** Of the address and the key, for reasoning of the Responses API that comes back. */
  fingerprint?: string;
  /** Name of a preset; the settings are then those of the model there, and `source` says where the shape is documented. */
  preset?: string;
  model?: string;
  source?: string;
  settings?: Partial<QuirkSettings>;
  provider?: string;
  limits?: { max?: number; min?: number };
  request: unknown;
}

/** They differ in all that is remembered of tools and calls. */
const OTHER_SETTINGS: readonly Partial<QuirkSettings>[] = [
  { schema: 'openapi', toolNameMax: 12 },
  { schema: 'mfjs', strictTools: true, toolId: 'functions' },
];

const cases = new URL('../../../golden/request/', import.meta.url);

function read(name: string, file: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}/${file}`, cases), 'utf8'));
}

function targetOf({ protocol = 'chat', preset, model = 'test-model', settings, provider = preset, limits }: Input) {
  const create = protocol === 'chat' || preset !== undefined ? createTarget : createResponsesTarget;
  return create(preset === undefined ? settings : presetSettings(preset, model, settings, protocol), {
    protocol,
    ...(provider === undefined ? {} : { provider }),
    name: model,
    ...(limits?.max === undefined ? {} : { maxTokensLimit: limits.max }),
    ...(limits?.min === undefined ? {} : { minTokensLimit: limits.min }),
  });
}

function translate(input: Input): unknown {
  const replay = { fingerprint: input.fingerprint ?? '', refused: new RefusedReasoning() };
  try {
    const request = parseRequest(deepFreeze(input.request));
    return translateRequest(request, targetOf(input), undefined, undefined, replay).body;
  } catch (error) {
    if (error instanceof ApiError) return { error: { code: error.code, message: error.message } };
    throw error;
  }
}

describe('golden requests', () => {
  test.each(readdirSync(cases))('%s', (name) => {
    const body = translate(read(name, 'input.json') as Input);
    // As text, since the order of the fields counts (R104).
    expect(JSON.stringify(body, null, 2)).toBe(JSON.stringify(read(name, 'expected.json'), null, 2));
  });

  test.each(readdirSync(cases))('%s, when the same objects were translated for other settings before', (name) => {
    const input = read(name, 'input.json') as Input;
    for (const settings of OTHER_SETTINGS) translate({ request: input.request, settings });
    translate(input);
    expect(translate(input)).toEqual(read(name, 'expected.json'));
  });

  test('of a preset name the source of their shape', () => {
    const inputs = readdirSync(cases).map((name) => ({ name, ...(read(name, 'input.json') as Input) }));
    expect(inputs.filter(({ preset, source }) => preset !== undefined && !source).map(({ name }) => name)).toEqual([]);
  });
});
