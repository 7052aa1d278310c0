import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeSignature, MARKER_SIGNATURE } from '../../../../src/protocol/delta.ts';
import {
  decodeReasoningItem,
  encodeReasoningItem,
  isWorthCarrying,
  readReasoningItem,
} from '../../../../src/protocol/openai/reasoningItem.ts';

const item = {
  summary: [{ type: 'summary_text', text: '**Plan**\n\n你好 😀' }],
  encryptedContent: 'gAAAAA==',
};
const signature = encodeReasoningItem('openai', item, '0a1b2c3d');

describe('the carrier of a reasoning item', () => {
  test('brings the item back as it came', () => {
    expect(signature).toMatch(/^ccp1\.openai\.[A-Za-z0-9_-]+$/);
    expect(decodeReasoningItem(signature, 'openai')).toEqual({ ...item, fingerprint: '0a1b2c3d' });
  });

  test('holds the exact parts of the summary, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.json().map((text) => JSON.parse(text))), fc.string({ minLength: 1 }), (summary, blob) => {
        const carried = decodeReasoningItem(
          encodeReasoningItem('p', { summary, encryptedContent: blob, content: [1] }, 'f'),
          'p',
        );
        expect(JSON.stringify(carried?.summary)).toBe(JSON.stringify(summary));
        expect(carried).toMatchObject({ encryptedContent: blob.toWellFormed(), content: [1], fingerprint: 'f' });
      }),
    );
  });

  test.each([
    ['of another provider', encodeReasoningItem('azure', item, 'f')],
    ['of no provider', MARKER_SIGNATURE],
    ['of Anthropic', 'EqQBCgIYAhIkZjA5'],
    ['empty', ''],
    ['without anything', 'ccp1.openai.'],
    ['that is no JSON', encodeSignature('openai', 'words')],
    ['nested too deep', encodeSignature('openai', `{"a":${'['.repeat(600)}${']'.repeat(600)}}`)],
    ['with the state of chat completions', encodeSignature('openai', '[{"type":"reasoning.encrypted","data":"x"}]')],
    ['without a summary', encodeSignature('openai', '{"encrypted_content":"x","fingerprint":"f"}')],
    ['without a fingerprint', encodeSignature('openai', '{"encrypted_content":"x","summary":[]}')],
  ])('a signature %s carries none', (_, other) => {
    expect(decodeReasoningItem(other, 'openai')).toBeUndefined();
  });

  test('one that was cut anywhere carries none', () => {
    for (let length = 0; length < signature.length; length += 1) {
      expect(decodeReasoningItem(signature.slice(0, length), 'openai')).toBeUndefined();
    }
  });
});

describe('a reasoning item as it comes', () => {
  test('has nothing but what must come back', () => {
    const read = readReasoningItem({
      id: 'rs_1',
      type: 'reasoning',
      status: 'completed',
      summary: null,
      content: null,
    });
    expect(read).toEqual({ summary: [] });
    expect(isWorthCarrying(read)).toBe(false);
  });

  test('is worth carrying with encrypted content, or with plain words', () => {
    expect(isWorthCarrying(readReasoningItem({ summary: [], encrypted_content: 'x' }))).toBe(true);
    expect(isWorthCarrying(readReasoningItem({ content: [{ type: 'reasoning_text', text: 'a' }] }))).toBe(true);
    expect(isWorthCarrying(readReasoningItem({ summary: [{ type: 'summary_text', text: 'a' }] }))).toBe(false);
  });
});
