import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  ALL_KEPT,
  type ArbitraryResponse,
  arbitraryJunk,
  arbitraryKept,
  arbitraryResponse,
  eventsOf,
  interleave,
  type Kept,
  lastEvent,
  withSources,
  writeEvents,
} from '../../helpers/arbitraryResponse.ts';
import { RUNS, TIME_LIMIT } from '../../helpers/arbitraryStream.ts';
import { checkEvents } from '../../helpers/eventGrammar.ts';
import { foldEvents } from '../../helpers/fold.ts';
import { type ContextOptions, createResponseContext } from '../../helpers/responseContext.ts';
import { runTranslator } from '../../helpers/runTranslator.ts';

const arbitraryOptions: fc.Arbitrary<ContextOptions> = fc.record({
  protocol: fc.constant('responses'),
  settings: fc.record({
    thinkTags: fc.constantFrom('auto', 'on', 'off'),
    thinkOpen: fc.boolean(),
    webSearch: fc.constantFrom('off', 'provider'),
  }),
  tools: fc.constantFrom({}, { Read: { type: 'object', properties: { a: { type: 'number' } } } }),
  stopSequences: fc.constantFrom([], ['END']),
});

const order = fc.array(fc.nat(20), { maxLength: 30 });
const keptOfEach = fc.array(arbitraryKept, { minLength: 6, maxLength: 6 });

/** A stream of the response; without `kept` with everything that there is, and without `turns` one item after the other. */
function streamOf(
  response: ArbitraryResponse,
  { kept = [], isRepeated = true, turns = [] }: { kept?: Kept[]; isRepeated?: boolean; turns?: number[] },
): JsonObject[] {
  const lists = response.output.map((item, index) =>
    eventsOf(item, index, withSources(kept[index] ?? ALL_KEPT, item, isRepeated)),
  );
  return [...interleave(lists, turns), lastEvent(response, isRepeated)];
}

/** What the whole response is translated to; undefined where it is an error. */
function wholeMessage(response: JsonObject, options: ContextOptions) {
  const body = Buffer.from(JSON.stringify(response));
  const { translator } = runTranslator(createResponseContext(options), body, { output: 'message' });
  return translator.outcome.error === undefined ? translator.message() : undefined;
}

function expectSame(bytes: Buffer, response: JsonObject, options: ContextOptions): void {
  const { text, translator } = runTranslator(createResponseContext(options), bytes);
  checkEvents(text);
  const message = wholeMessage(response, options);
  if (message === undefined) expect(translator.outcome.error).toBeDefined();
  else expect({ error: translator.outcome.error, message: foldEvents(text) }).toEqual({ error: undefined, message });
}

const junkIn = (events: readonly JsonObject[], junk: readonly { at: number; event: JsonObject }[]) => {
  const all = [...events];
  for (const { at, event } of junk) all.splice(at % (all.length + 1), 0, event);
  return all;
};

test('R674 a folded stream is the response, signatures included', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(arbitraryResponse, arbitraryOptions, fc.boolean(), (response, options, isNamed) => {
      expectSame(writeEvents(streamOf(response, {}), isNamed), response, options);
    }),
    { numRuns: RUNS },
  );
});

test('R667 any order in which items interleave gives the same blocks', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(arbitraryResponse, arbitraryOptions, order, (response, options, turns) => {
      expectSame(writeEvents(streamOf(response, { turns })), response, options);
    }),
    { numRuns: RUNS },
  );
});

test('R664 R666 R672 what is said more than once may be left out', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(
      arbitraryResponse,
      arbitraryOptions,
      keptOfEach,
      fc.boolean(),
      order,
      (response, options, kept, isRepeated, turns) => {
        expectSame(writeEvents(streamOf(response, { kept, isRepeated, turns })), response, options);
      },
    ),
    { numRuns: RUNS },
  );
});

test('R663 neither places nor steady ids are needed', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(arbitraryResponse, arbitraryOptions, fc.boolean(), (response, options, isPlaced) => {
      const events = streamOf(response, {}).map((event, number) => {
        const { output_index: place, item_id: id, ...rest } = event;
        if (!isPlaced) return id === undefined ? rest : { ...rest, item_id: id };
        const changing = { output_index: place ?? null, item_id: `other_${number}` };
        const item = rest['item'] as JsonObject | undefined;
        return { ...rest, ...changing, ...(item === undefined ? {} : { item: { ...item, id: `new_${number}` } }) };
      });
      expectSame(writeEvents(events), response, options);
    }),
    { numRuns: RUNS },
  );
});

test('R660 any cut of the bytes gives the same events', { timeout: TIME_LIMIT }, () => {
  const cuts = fc.array(fc.nat(), { maxLength: 40 });
  fc.assert(
    fc.property(
      arbitraryResponse,
      arbitraryOptions,
      keptOfEach,
      order,
      arbitraryJunk,
      cuts,
      (response, options, kept, turns, junk, positions) => {
        const bytes = writeEvents(junkIn(streamOf(response, { kept, turns }), junk));
        const sorted = positions.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b);
        const whole = runTranslator(createResponseContext(options), bytes);
        const inPieces = runTranslator(createResponseContext(options), bytes, { cuts: sorted });
        expect(inPieces.text).toBe(whole.text);
        expect(inPieces.translator.outcome).toEqual(whole.translator.outcome);
      },
    ),
    { numRuns: RUNS },
  );
});

test('R671 whatever a provider sends, the events obey the grammar and fold into the same message', {
  timeout: TIME_LIMIT,
}, () => {
  fc.assert(
    fc.property(
      arbitraryResponse,
      arbitraryOptions,
      keptOfEach,
      order,
      arbitraryJunk,
      (response, options, kept, turns, junk) => {
        const bytes = writeEvents(junkIn(streamOf(response, { kept, turns, isRepeated: false }), junk));
        const { text, translator } = runTranslator(createResponseContext(options), bytes);
        const { outcome } = translator;
        checkEvents(text);
        expect(outcome.ended).toBe(true);
        expect(text.endsWith('{"type":"message_stop"}\n\n')).toBe(outcome.error === undefined);
        const whole = runTranslator(createResponseContext(options), bytes, { output: 'message' }).translator;
        expect(whole.outcome).toEqual(outcome);
        if (outcome.error === undefined) expect(foldEvents(text)).toEqual(whole.message());
      },
    ),
    { numRuns: RUNS },
  );
});

test('R669 a stream that breaks off is an error, or calls that are whole', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(
      arbitraryResponse,
      arbitraryOptions,
      keptOfEach,
      order,
      fc.nat(),
      fc.boolean(),
      (response, options, kept, turns, at, isMarked) => {
        const events = streamOf(response, { kept, turns });
        const bytes = Buffer.concat([
          writeEvents(events.slice(0, at % events.length)),
          Buffer.from(isMarked ? 'data: [DONE]\n\n' : ''),
        ]);
        const { text, translator } = runTranslator(createResponseContext(options), bytes);
        const { error, stopReason } = translator.outcome;
        checkEvents(text);
        if (error !== undefined) return;
        const hasStopped = options.stopSequences?.length === 1 && stopReason === 'stop_sequence';
        expect(hasStopped ? 'tool_use' : stopReason).toBe('tool_use');
        const message = foldEvents(text);
        for (const block of message['content'] as JsonObject[]) {
          expect(block['input'] ?? {}).not.toHaveProperty('__unparsedToolInput');
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test('the shortcut for pieces of text changes nothing', { timeout: TIME_LIMIT }, () => {
  fc.assert(
    fc.property(
      arbitraryResponse,
      arbitraryOptions,
      keptOfEach,
      order,
      arbitraryJunk,
      (response, options, kept, turns, junk) => {
        const events = junkIn(streamOf(response, { kept, turns }), junk);
        // Members that are new in each event keep the shortcut from being taken.
        const unlike = events.map((event, number) => ({ [`new_${number}`]: 0, ...event }));
        const quick = runTranslator(createResponseContext(options), writeEvents(events));
        const thorough = runTranslator(createResponseContext(options), writeEvents(unlike));
        expect(quick.text).toBe(thorough.text);
      },
    ),
    { numRuns: RUNS },
  );
});
