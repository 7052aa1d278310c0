import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { readGoldenCases } from '../../helpers/goldenCase.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

const folder = join(import.meta.dirname, '../../golden/stream');
const request = { model: 'claude-test', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] };

/** The official client, which gets this body as its answer. */
function clientFor(body: string, contentType: string): Anthropic {
  const fetch = () => Promise.resolve(new Response(body, { headers: { 'content-type': contentType } }));
  return new Anthropic({ apiKey: 'test', maxRetries: 0, fetch });
}

/** A message without what the SDK adds to it, such as hidden buffers and parsed output. */
function plain(message: Anthropic.Message): unknown {
  const { id, type, role, model, content, stop_reason, stop_sequence, usage } = message;
  const blocks = content.map((block) => Object.fromEntries(Object.entries(block).filter(([key]) => key !== 'parsed')));
  return JSON.parse(
    JSON.stringify({ id, type, role, model, content: blocks, stop_reason, stop_sequence, usage }),
  ) as unknown;
}

const cases = readGoldenCases(folder, 'expected.txt');
const again = readGoldenCases(folder, 'expected.txt');

for (const [index, golden] of cases.entries()) {
  const { ending } = golden;
  const events = runTranslator(golden.context, golden.upstream, { ending });
  const twin = again[index];
  if (events.translator.outcome.error !== undefined || twin === undefined) continue;
  const message = runTranslator(twin.context, twin.upstream, { ending, output: 'message' }).translator.message();
  // The SDK refuses arguments that are no JSON; Claude Code does not use that part of it.
  if (JSON.stringify(message).includes('__unparsedToolInput')) continue;
  // It does not know the answers to safety checks; Claude Code reads them itself.
  if (message.safeguard_results !== undefined) continue;

  test(`the official SDK reads the same message from events and from JSON: ${golden.name}`, async () => {
    const streamed = clientFor(events.text, 'text/event-stream').messages.stream(request);
    const whole = await clientFor(JSON.stringify(message), 'application/json').messages.create(request);
    expect(plain(await streamed.finalMessage())).toEqual(plain(whole));
    expect(plain(whole)).toEqual(JSON.parse(JSON.stringify(message)));
  });
}

test('the official SDK reports an error event with its type', async () => {
  const golden = again.find((one) => one.name === 'R319-connection-lost-inside-text');
  if (golden === undefined) throw new Error('the case is gone');
  const { text } = runTranslator(golden.context, golden.upstream, { ending: golden.ending });
  const stream = clientFor(text, 'text/event-stream').messages.stream(request);
  await expect(stream.finalMessage()).rejects.toMatchObject({
    error: { error: { type: 'overloaded_error', message: 'connection lost' } },
  });
});
