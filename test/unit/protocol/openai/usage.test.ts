import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { readAnthropicUsage } from '../../../../src/protocol/anthropic/message.ts';
import { readUsage } from '../../../../src/protocol/openai/tokenUsage.ts';

test.each<[string, unknown, [number, number, number, number] | undefined]>([
  ['plain counts', { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 }, [20, 5, 0, 0]],
  [
    'cached details',
    { prompt_tokens: 1000, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 900 } },
    [100, 5, 900, 0],
  ],
  ['cached at the top', { prompt_tokens: 1000, completion_tokens: 5, cached_tokens: 900 }, [100, 5, 900, 0]],
  [
    'cache hits and misses',
    { prompt_tokens: 10, prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6, completion_tokens: 1 },
    [6, 1, 4, 0],
  ],
  ['Anthropic’s own words', { input_tokens: 10, output_tokens: 2, cache_read_input_tokens: 4 }, [6, 2, 4, 0]],
  [
    'read and written',
    { prompt_tokens: 10, completion_tokens: 1, cache_read_input_tokens: 4, cache_creation_input_tokens: 3 },
    [3, 1, 4, 3],
  ],
  [
    'written details',
    { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 3 } },
    [7, 1, 0, 3],
  ],
  ['a prompt that was net already', { prompt_tokens: 100, completion_tokens: 1, cached_tokens: 900 }, [100, 1, 900, 0]],
  ['num_cached_tokens', { prompt_tokens: 70, completion_tokens: 1, num_cached_tokens: 48 }, [22, 1, 48, 0]],
  [
    'num_cached_tokens in the details',
    { prompt_tokens: 70, completion_tokens: 1, prompt_tokens_details: { num_cached_tokens: 64 } },
    [6, 1, 64, 0],
  ],
  [
    'tokens named twice, as read and as written',
    {
      prompt_tokens: 900,
      completion_tokens: 1,
      prompt_tokens_details: { cached_tokens: 880, cache_write_tokens: 880 },
    },
    [20, 1, 880, 0],
  ],
  [
    'more written than fits beside what was read',
    {
      prompt_tokens: 900,
      completion_tokens: 1,
      prompt_tokens_details: { cached_tokens: 500, cache_write_tokens: 600 },
    },
    [0, 1, 500, 400],
  ],
  [
    'what is written and read in one prompt',
    {
      prompt_tokens: 900,
      completion_tokens: 1,
      prompt_tokens_details: { cached_tokens: 500, cache_write_tokens: 300 },
    },
    [100, 1, 500, 300],
  ],
  [
    'never below zero',
    { prompt_tokens: 10, completion_tokens: 1, cached_tokens: 8, cache_creation_input_tokens: 8 },
    [2, 1, 8, 0],
  ],
  [
    'zero beside the right field',
    { prompt_tokens: 10, completion_tokens: 1, cached_tokens: 4, prompt_tokens_details: { cached_tokens: 0 } },
    [6, 1, 4, 0],
  ],
  [
    'reasoning inside the completion',
    {
      prompt_tokens: 30,
      completion_tokens: 104,
      total_tokens: 134,
      completion_tokens_details: { reasoning_tokens: 100 },
    },
    [30, 104, 0, 0],
  ],
  [
    'reasoning beside the completion',
    {
      prompt_tokens: 30,
      completion_tokens: 4,
      total_tokens: 134,
      completion_tokens_details: { reasoning_tokens: 100 },
    },
    [30, 104, 0, 0],
  ],
  ['fractions, made whole', { prompt_tokens: 10.5, completion_tokens: 1.2 }, [11, 1, 0, 0]],
  ['a count no model can reach', { prompt_tokens: 1e308, completion_tokens: 2 }, [0, 2, 0, 0]],
  ['counts below zero', { prompt_tokens: 5, completion_tokens: 2, cached_tokens: -4 }, [5, 2, 0, 0]],
  ['a total no model can reach', { total_tokens: 1e308, prompt_tokens: 5 }, [5, 0, 0, 0]],
  ['a total that is a text', { total_tokens: '9', prompt_tokens: 5 }, [5, 0, 0, 0]],
  [
    'what came from the cache as a fraction',
    { prompt_tokens: 100, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 10.4 } },
    [90, 2, 10, 0],
  ],
  [
    'what came from the cache as a text',
    { prompt_tokens: 100, completion_tokens: 2, prompt_tokens_details: { cached_tokens: '10' } },
    [100, 2, 0, 0],
  ],
  ['texts', { prompt_tokens: '5', completion_tokens: '2' }, undefined],
  ['only a total, which says nothing', { total_tokens: 9 }, undefined],
  ['a total and a prompt', { total_tokens: 9, prompt_tokens: 5 }, [5, 4, 0, 0]],
  ['nulls', { prompt_tokens: null, completion_tokens: null }, undefined],
  ['an empty object', {}, undefined],
  ['nothing', null, undefined],
])('R205 reads %s', (_name, usage, expected) => {
  const read = readUsage(usage) as JsonObject | undefined;
  const counts = read && [read['input'], read['output'], read['cacheRead'], read['cacheWrite']];
  expect(counts).toEqual(expected);
});

test('Anthropic’s own counts are made whole, and what is no count is not known', () => {
  expect(readAnthropicUsage({ input_tokens: 10.5, output_tokens: 1e308, cache_read_input_tokens: -1 })).toEqual({
    input: 11,
    output: 0,
    cacheRead: 0,
    cacheWrite: 0,
  });
  expect(readAnthropicUsage({ input_tokens: '1', output_tokens: -1 })).toBeUndefined();
});
