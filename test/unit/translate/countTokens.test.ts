import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCountRequest } from '../../../src/protocol/anthropic/parseRequest.ts';
import { createCalibration, estimateTokens } from '../../../src/translate/countTokens.ts';
import { textTokens } from '../../../src/translate/textTokens.ts';

function estimate(fields: object): number {
  return estimateTokens(parseCountRequest({ model: 'm', ...fields }));
}

const asked = (content: unknown) => ({ messages: [{ role: 'user', content }] });
const EMPTY_MESSAGE = 4;

describe('R502 the estimate', () => {
  test('is at least one', () => {
    expect(estimate({})).toBe(1);
    expect(estimate({ system: null, messages: [] })).toBe(1);
  });

  // Counts of a common tokenizer (o200k_base) for the same texts.
  test.each([
    ['prose', 'The quick brown fox jumps over the lazy dog, and nobody in the village was surprised by it.', 20],
    ['code', 'export function add(left: number, right: number): number {\n  return left + right;\n}\n', 22],
    ['JSON', '{"name":"claude-code-proxy","version":"0.1.0","private":true,"engines":{"node":">=20"}}', 30],
    ['Chinese', '这个项目的目标是让用户在一个终端里同时使用多个模型提供商的服务。', 19],
  ])('is near a tokenizer’s count for %s', (_name, text, tokens) => {
    expect(textTokens(text) / tokens).toBeGreaterThan(0.8);
    expect(textTokens(text) / tokens).toBeLessThan(1.25);
  });

  test.each([
    ['system', { system: 'some words' }],
    ['tools', { tools: [{ name: 'Read', description: 'some words', input_schema: { type: 'object' } }] }],
    ['a call', asked([{ type: 'tool_use', id: 'x', name: 'Read', input: { path: 'some words' } }])],
    ['a result', asked([{ type: 'tool_result', tool_use_id: 'x', content: [{ type: 'text', text: 'some words' }] }])],
    ['thinking', asked([{ type: 'thinking', thinking: 'some words', signature: '' }])],
    ['a text document', asked([{ type: 'document', source: { type: 'text', data: 'some words' } }])],
    ['an unknown block', asked([{ type: 'new', words: 'some words' }])],
  ])('counts %s', (_name, request) => {
    const longer = JSON.parse(JSON.stringify(request).replace('some words', 'some words and many more of them'));
    expect(estimate(longer)).toBe(estimate(request) + 5);
  });

  test('images and PDF pages cost a flat sum, wherever they are', () => {
    const image = { type: 'image', source: { type: 'base64', data: 'A'.repeat(100_000) } };
    expect(estimate(asked([image]))).toBe(EMPTY_MESSAGE + 1600);
    expect(estimate(asked([{ type: 'tool_result', tool_use_id: 'x', content: [image] }]))).toBe(
      2 * EMPTY_MESSAGE + 1600,
    );
    const pdf = (length: number) => ({ type: 'document', source: { type: 'base64', data: 'A'.repeat(length) } });
    expect(estimate(asked([pdf(100)]))).toBe(EMPTY_MESSAGE + 2000);
    expect(estimate(asked([pdf(400_000)]))).toBe(EMPTY_MESSAGE + 7500);
  });

  test('R111 the attribution line and opaque state count nothing', () => {
    expect(estimate({ system: 'x-anthropic-billing-header: cch=1;\nYou are' })).toBe(estimate({ system: 'You are' }));
    const thinking = (signature: string) => asked([{ type: 'thinking', thinking: 'hm', signature }]);
    expect(estimate(thinking('x'.repeat(10_000)))).toBe(estimate(thinking('')));
  });

  test('never throws and grows in proportion, whatever the text', () => {
    for (const text of ['a', '\ud800', '<|endoftext|>', '\n', '7', '{', '中', ' x']) {
      const short = textTokens(text.repeat(100_000));
      expect(short).toBeGreaterThan(0);
      expect(textTokens(text.repeat(1_000_000)) / short).toBeCloseTo(10, 0);
    }
    fc.assert(fc.property(fc.jsonValue(), (content) => estimate({ system: content, tools: content }) >= 1));
  });

  test('a sampled text costs what its windows cost', () => {
    const text = 'Some words, and a number: 12345.\n'.repeat(2000);
    expect(textTokens(text) / (textTokens(text.slice(0, 16_000)) * (text.length / 16_000))).toBeCloseTo(1, 1);
  });
});

describe('R502 the calibration', () => {
  test('learns a model’s factor and leaves the others alone', () => {
    const calibration = createCalibration();
    expect(calibration.factor('a')).toBe(1);
    for (let turn = 0; turn < 20; turn += 1) calibration.observe('a', 1000, 1200);
    expect(calibration.factor('a')).toBeCloseTo(1.2);
    expect(calibration.factor('b')).toBe(1);
    const request = parseCountRequest({ model: 'm', ...asked('word '.repeat(1000)) });
    expect(estimateTokens(request, 1.2)).toBe(Math.ceil(estimateTokens(request) * 1.2));
  });

  test('an outlier moves it little, and is bounded', () => {
    const calibration = createCalibration();
    for (let turn = 0; turn < 20; turn += 1) calibration.observe('a', 1000, 1000);
    calibration.observe('a', 1000, 1_000_000);
    expect(calibration.factor('a')).toBeCloseTo(1.08);
    for (let turn = 0; turn < 100; turn += 1) calibration.observe('a', 1000, 1);
    expect(calibration.factor('a')).toBeCloseTo(0.6);
  });

  test('figures that make no sense teach nothing', () => {
    const calibration = createCalibration();
    for (const [guess, actual] of [
      [0, 5],
      [5, 0],
      [-1, 5],
      [Number.NaN, 5],
      [5, Number.POSITIVE_INFINITY],
    ] as const) {
      calibration.observe('a', guess, actual);
    }
    expect(calibration.snapshot()).toEqual({});
  });

  test('survives as JSON; what is not a snapshot is left out', () => {
    const calibration = createCalibration();
    calibration.observe('a', 1000, 1200);
    const restored = createCalibration();
    restored.restore(JSON.parse(JSON.stringify(calibration.snapshot())));
    expect(restored.snapshot()).toEqual(calibration.snapshot());
    const damaged = { b: { factor: 9, count: 3 }, c: null, d: { factor: 'x', count: 1 }, e: { factor: 1, count: 0 } };
    for (const wrong of [null, 'x', damaged]) restored.restore(wrong);
    expect(restored.snapshot()).toEqual({ ...calibration.snapshot(), b: { factor: 1.8, count: 3 } });
  });
});
