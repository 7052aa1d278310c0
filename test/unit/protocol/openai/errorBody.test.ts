import { expect, test } from 'vitest';
import { isErrorBody, readErrorBody, type UpstreamErrorBody } from '../../../../src/protocol/openai/errors.ts';

test.each<[string, unknown, UpstreamErrorBody]>([
  [
    'OpenAI',
    { error: { message: 'no', type: 'invalid_request_error', code: 'x' } },
    { message: 'no', type: 'invalid_request_error', code: 'x' },
  ],
  ['error as words', { code: 'c', error: 'no' }, { message: 'no', code: 'c' }],
  [
    'a list around it',
    [{ error: { code: 429, message: 'slow', status: 'RESOURCE_EXHAUSTED' } }],
    { message: 'slow', code: '429', type: 'RESOURCE_EXHAUSTED', status: 429 },
  ],
  [
    'message at the top',
    { object: 'error', message: 'no', type: 'BadRequestError', code: 400 },
    { message: 'no', code: '400', type: 'BadRequestError', status: 400 },
  ],
  ['detail', { detail: 'Not Found' }, { message: 'Not Found' }],
  [
    'another server’s body as the message',
    {
      error: {
        message: '{"error":{"code":400,"message":"no pictures","type":"exceed"}}',
        type: 'api_error',
        code: null,
      },
    },
    { message: 'no pictures', code: '400', type: 'exceed', status: 400 },
  ],
  [
    'another server’s body as the error',
    { error: '{"error":{"message":"no pictures"}}', code: 'outer' },
    { message: 'no pictures', code: 'outer' },
  ],
  [
    'a body within a body within a body',
    { message: JSON.stringify({ error: JSON.stringify({ message: 'inmost', code: 7 }) }), type: 'outer' },
    { message: 'inmost', code: '7', type: 'outer' },
  ],
  ['braces that are no body', { error: { message: '{name} is missing' } }, { message: '{name} is missing' }],
  ['a body that says nothing', { error: { message: '{"a":1}' } }, { message: '{"a":1}' }],
  [
    'a list of details',
    { detail: [{ msg: 'field required', loc: ['body'] }, { msg: 'too long' }] },
    { message: 'field required; too long' },
  ],
  ['msg', { code: 1, msg: 'no' }, { message: 'no', code: '1' }],
  [
    'base_resp',
    { base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
    { message: 'insufficient balance', code: '1008' },
  ],
  ['errors', { errors: [{ message: 'first', code: 'a' }, { message: 'second' }] }, { message: 'first', code: 'a' }],
  [
    'a code in digits is no status',
    { error: { code: '1113', message: 'Insufficient balance' } },
    { message: 'Insufficient balance', code: '1113' },
  ],
  [
    'http_code',
    { type: 'error', error: { type: 'bad_request_error', message: 'no (2013)', http_code: '400' } },
    { message: 'no (2013)', type: 'bad_request_error', status: 400 },
  ],
  [
    'what the provider behind an aggregator said',
    {
      error: {
        code: 502,
        message: 'Provider returned error',
        metadata: { raw: '{"error":{"message":"context too long"}}' },
      },
    },
    { message: 'context too long', code: '502', status: 502 },
  ],
  [
    'raw words',
    { error: { message: 'Provider returned error', metadata: { raw: 'upstream died' } } },
    { message: 'upstream died' },
  ],
  ['JSON text', '{"error":{"message":"no"}}', { message: 'no' }],
  ['an HTML page', '<!doctype html><html><title>502\n Bad Gateway</title>', { message: '502 Bad Gateway' }],
  ['plain words', ' upstream connect error ', { message: 'upstream connect error' }],
  ['broken JSON', '{"error":', { message: '{"error":' }],
  ['nothing', undefined, { message: '' }],
])('R407 reads %s', (_name, body, expected) => {
  expect(readErrorBody(body)).toEqual(expected);
});

test('the title of a page is looked for near its beginning', () => {
  const page = (letters: number) => `<html>${'x'.repeat(letters)}<title>far</title>`;
  expect(readErrorBody(page(8000))).toEqual({ message: 'far' });
  expect(readErrorBody(page(9000))).toEqual({ message: 'an HTML page' });
});

test('R407 cuts the text to 500 characters and leaves no half letter', () => {
  const { message } = readErrorBody({ error: { message: `${'x'.repeat(499)}😀 and more` } });
  expect(message).toBe(`${'x'.repeat(499)}\ufffd`);
});

test.each([
  [{ error: { message: 'x' } }, true],
  [{ error: 'x' }, true],
  [{ error: null, choices: [] }, false],
  [{ base_resp: { status_code: 0 } }, false],
  [{ base_resp: { status_code: 1002 } }, true],
  [{ object: 'error', message: 'x' }, true],
  [{ choices: [] }, false],
])('R219 an error in a 200: %j is %s', (body, expected) => {
  expect(isErrorBody(body)).toBe(expected);
});
