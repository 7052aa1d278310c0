import { expect, test } from 'vitest';
import {
  decodeCallFields,
  decodeSignature,
  encodeCallFields,
  encodeSignature,
  MARKER_SIGNATURE,
} from '../../../src/protocol/delta.ts';

test('R135 a signature brings its state back to its provider only', () => {
  const signature = encodeSignature('acme', '[{"text":"é\\n"}]');
  expect(signature).toMatch(/^ccp1\.acme\.[A-Za-z0-9_-]+$/);
  expect(decodeSignature(signature, 'acme')).toBe('[{"text":"é\\n"}]');
  expect(decodeSignature(signature, 'acm')).toBeUndefined();
  expect(decodeSignature(signature, 'other')).toBeUndefined();
});

test.each(['', MARKER_SIGNATURE, 'EqQBCkgIBxABGAIiQ', 'ccp1.acme.', 'ccp1.acme.a.b', 'ccp2.acme.YQ'])(
  'R135 the signature %j carries nothing',
  (signature) => {
    expect(decodeSignature(signature, 'acme')).toBeUndefined();
  },
);

test('R212 the marker cannot be taken for a signature of Anthropic, which is base64', () => {
  expect(MARKER_SIGNATURE).toContain('.');
});

test('R135 fields of a call come back to their provider only', () => {
  const fields = { extra_content: { google: { thought_signature: 's' } } };
  const block = { type: 'tool_use', ...encodeCallFields('acme', fields) };
  expect(decodeCallFields(block, 'acme')).toEqual(fields);
  expect(decodeCallFields(block, 'other')).toBeUndefined();
  expect(decodeCallFields({ provider_fields: { provider: 'acme', fields: 7 } }, 'acme')).toBeUndefined();
  expect(decodeCallFields({ provider_fields: 'x' }, 'acme')).toBeUndefined();
});
