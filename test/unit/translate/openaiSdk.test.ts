import fc from 'fast-check';
import OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import type { MessageBlock } from '../../../src/protocol/anthropic/message.ts';
import {
  ALL_KEPT,
  type ArbitraryResponse,
  arbitraryResponse,
  eventsOf,
  interleave,
  lastEvent,
  writeEvents,
} from '../../helpers/arbitraryResponse.ts';
import { TIME_LIMIT } from '../../helpers/arbitraryStream.ts';
import { createResponseContext } from '../../helpers/responseContext.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

/** The official client, which gets these bytes as its answer. */
function clientFor(body: Buffer, contentType: string): OpenAI {
  const fetch = () => Promise.resolve(new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }));
  return new OpenAI({ apiKey: 'test', maxRetries: 0, fetch });
}

interface Answer {
  readonly texts: readonly string[];
  readonly calls: readonly { readonly name: string; readonly input: unknown }[];
  readonly usage: { readonly input: number; readonly output: number };
}

const inputOf = (text: string): unknown => (text === '' ? {} : JSON.parse(text));

/** What the stream helper of the SDK has put together out of the pieces, and what it gives at the end. */
async function readBySdk(bytes: Buffer): Promise<{ pieces: Answer; whole: Answer }> {
  const stream = clientFor(bytes, 'text/event-stream').responses.stream({ model: 'm', input: 'Hi' });
  const texts = new Map<number, Map<number, string>>();
  const calls = new Map<number, string>();
  stream.on('response.output_text.delta', ({ output_index: index, content_index: part, snapshot }) => {
    texts.set(index, (texts.get(index) ?? new Map<number, string>()).set(part, snapshot));
  });
  stream.on('response.function_call_arguments.delta', ({ output_index: index, snapshot }) => {
    calls.set(index, snapshot);
  });
  const final = await stream.finalResponse();
  const usage = { input: final.usage?.input_tokens ?? 0, output: final.usage?.output_tokens ?? 0 };
  const order = <Value>(map: Map<number, Value>) => [...map].sort(([a], [b]) => a - b).map(([, value]) => value);
  return {
    pieces: {
      texts: order(texts).map((parts) => order(parts).join('')),
      calls: order(calls).map((text) => ({ name: 'Read', input: inputOf(text) })),
      usage,
    },
    whole: {
      texts: final.output.flatMap((item) =>
        item.type === 'message'
          ? [item.content.map((part) => (part.type === 'output_text' ? part.text : part.refusal)).join('')]
          : [],
      ),
      calls: final.output.flatMap((item) =>
        item.type === 'function_call' ? [{ name: item.name, input: inputOf(item.arguments) }] : [],
      ),
      usage,
    },
  };
}

function readHere(bytes: Buffer): Answer {
  const context = createResponseContext({ protocol: 'responses', settings: { thinkTags: 'off' } });
  const message = runTranslator(context, bytes, { output: 'message' }).translator.message();
  const { usage } = message;
  return {
    texts: message.content.flatMap((block: MessageBlock) => (block.type === 'text' ? [block.text] : [])),
    calls: message.content.flatMap((block: MessageBlock) =>
      block.type === 'tool_use' ? [{ name: block.name, input: block.input }] : [],
    ),
    usage: { input: usage.input_tokens + usage.cache_read_input_tokens, output: usage.output_tokens },
  };
}

/** Messages without words are no blocks here, and halves of letters are replaced. */
const spoken = ({ texts, ...rest }: Answer): Answer => ({
  ...rest,
  texts: texts.filter((text) => text.trim() !== '').map((text) => text.toWellFormed()),
});

function streamOf(response: ArbitraryResponse, order: readonly number[]): Buffer {
  const created = { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } };
  // The SDK reads lists in their order alone, so that each item is announced in its turn.
  const lists = response.output.map((item, index) => eventsOf(item, index, ALL_KEPT));
  const announced = lists.flatMap((list) => list.slice(0, 1));
  const rest = lists.map((list) => list.slice(1));
  return writeEvents([created, ...announced, ...interleave(rest, order), lastEvent(response, true)]);
}

test('the official SDK reads a stream as it is read here: texts, calls and usage', {
  timeout: TIME_LIMIT,
}, async () => {
  const order = fc.array(fc.nat(20), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(arbitraryResponse, order, async (response, turns) => {
      fc.pre(response['status'] === 'completed');
      const bytes = streamOf(response, turns);
      const { pieces, whole } = await readBySdk(bytes);
      const here = readHere(bytes);
      expect(here).toEqual(spoken(whole));
      // Its pieces know nothing of refusals, nor of calls without arguments.
      const isPlain = response.output.every(
        (item: JsonObject) => item['arguments'] !== '' && !JSON.stringify(item).includes('"refusal"'),
      );
      if (isPlain) expect(spoken(pieces)).toEqual(here);
    }),
    { numRuns: 300 },
  );
});

test('the official SDK reads the same out of a response in one piece', { timeout: TIME_LIMIT }, async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryResponse, async (response) => {
      fc.pre(response['status'] === 'completed');
      const bytes = Buffer.from(JSON.stringify(response));
      const body = await clientFor(bytes, 'application/json').responses.create({ model: 'm', input: 'Hi' });
      const texts = body.output.flatMap((item) => (item.type === 'message' ? item.content : []));
      const text = texts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
      expect(body.output_text).toBe(text);
      const here = readHere(bytes);
      const calls = body.output.flatMap((item) => (item.type === 'function_call' ? [inputOf(item.arguments)] : []));
      expect(here.calls.map(({ input }) => input)).toEqual(calls);
      expect(here.usage).toEqual({ input: body.usage?.input_tokens, output: body.usage?.output_tokens });
    }),
    { numRuns: 300 },
  );
});
