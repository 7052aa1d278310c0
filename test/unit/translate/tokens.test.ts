import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCountRequest } from '../../../src/protocol/anthropic/request.ts';
import { addText, estimateTokens, measureTokens } from '../../../src/translate/tokens.ts';
import { bestCount } from '../../helpers/bestCount.ts';
import { growth, LINEAR } from '../../helpers/growth.ts';

function estimate(fields: object): number {
  return estimateTokens(parseCountRequest({ model: 'm', ...fields }));
}

function textTokens(text: string): number {
  const parts = { ideographs: 0, rest: 0 };
  addText(parts, text);
  return parts.ideographs + parts.rest;
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

  test('R111 R690 the attribution line and opaque state count nothing', () => {
    expect(estimate({ system: 'x-anthropic-billing-header: cch=1;\nYou are' })).toBe(estimate({ system: 'You are' }));
    const thinking = (signature: string) => asked([{ type: 'thinking', thinking: 'hm', signature }]);
    expect(estimate(thinking('x'.repeat(10_000)))).toBe(estimate(thinking('')));
  });

  test('counts ideographs apart from all else, whichever block they are in', () => {
    const measure = (system: unknown) => measureTokens(parseCountRequest({ model: 'm', system }));
    expect(measure('only English words')).toMatchObject({ ideographs: 0 });
    const { ideographs, rest } = measure('只有汉字');
    expect(ideographs).toBeGreaterThan(0);
    expect(rest).toBe(0);
    expect(measure([{ type: 'text', text: '只有汉字 and words' }]).ideographs).toBe(ideographs);
    expect(measure([{ type: 'tool_use', name: 'Write', input: { content: '只有汉字' } }]).ideographs).toBe(ideographs);
    expect(measure('只有汉字'.repeat(20_000)).ideographs / ideographs).toBeCloseTo(20_000);
  });

  test('a sampled text costs what its windows cost', () => {
    const text = 'Some words, and a number: 12345.\n'.repeat(2000);
    expect(textTokens(text) / (textTokens(text.slice(0, 16_000)) * (text.length / 16_000))).toBeCloseTo(1, 1);
  });
});

const MILLION = 1_000_000;
const hostile = {
  'one letter': 'a',
  blanks: ' ',
  'line breaks': '\n',
  digits: '7',
  brackets: '{',
  ideographs: '中',
  base64: Buffer.from('some bytes that say nothing, \u00ff\u0000').toString('base64').replaceAll('=', ''),
  'special tokens': '<|endoftext|>',
  'lone surrogates': '\ud800',
  'words between blanks': ' x',
};

describe.each(Object.entries(hostile))('R502 a megabyte of %s', (_name, piece) => {
  const long = piece.repeat(MILLION / piece.length);
  const requestOf = (text: string) => parseCountRequest({ model: 'm', system: text, ...asked(text) });

  test('costs in proportion to its length', () => {
    const quarter = long.slice(0, MILLION / 4);
    expect(estimateTokens(requestOf(quarter))).toBeGreaterThan(10);
    expect(estimateTokens(requestOf(long)) / estimateTokens(requestOf(quarter))).toBeCloseTo(4, 0);
  });

  test('takes work in proportion to its length', () => {
    const count = (length: number) => {
      const request = requestOf(long.slice(0, length));
      return bestCount(() => measureTokens(request));
    };
    // Sixteen times the length may take sixteen times as long; work by the square of the length would take 256 times.
    expect(count(MILLION / 16) / count(MILLION)).toBeLessThan(64);
  });
});

test('R502 no JSON makes the estimate throw', () => {
  fc.assert(fc.property(fc.jsonValue(), (content) => estimate({ system: content, tools: content }) >= 1));
});

test.each(['a', ' ', '中', '\ud800', '<|endoftext|>', '{"a":['])(
  'L9 a text takes work in proportion to its length to be counted: %j',
  (piece) => {
    const create = (size: number) => {
      const request = { model: 'm', messages: [{ role: 'user', content: piece.repeat(size / piece.length) }] };
      return () => void estimateTokens(parseCountRequest(request));
    };
    expect(growth(create, 400_000)).toBeLessThan(LINEAR);
  },
);
