import { inflateSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { fullChecks, redSquare, runFullCheck } from '../../../../src/cli/providerTest/fullChecks.ts';
import type { Answer } from '../../../../src/cli/providerTest/messagesClient.ts';
import { manyTools, webSearch } from '../../../../src/cli/providerTest/testProvider.ts';
import { defaultSettings, environmentName } from '../../../../src/quirks/settings.ts';
import { calls, failedWith, sampleAnswer, sampleSubject } from './sampleAnswer.ts';

function checkOf(name: string) {
  const check = [...fullChecks, manyTools].find((one) => one.name === name);
  if (check === undefined) throw new Error(`there is no check ${name}`);
  return check;
}

const says = (text: string, changes: Partial<Answer> = {}) => sampleAnswer({ text, ...changes });
const callOf = (name: string) => sampleAnswer({ toolUses: [{ id: 'toolu_1', name, input: {} }] });
const refuses = (message: string) => failedWith('invalid_request_error', message);
const window = (contextWindow: number) => sampleSubject({ contextWindow });
const cached = { input: 100, cacheRead: 4900, cacheWrite: 0, output: 1 };

/** Check, what the model did (in its only turn, or in the last), the result, the quirks that are named. */
const rows: [string, string, Answer, string, string[]][] = [
  ['tool call', 'correct', calls('echo ready'), 'ok', []],
  ['tool call', 'another argument', calls('ls'), 'warn', []],
  ['tool call', 'no argument', calls(''), 'fail', ['QUIRK_TOOL_ARGS=buffer']],
  ['tool call', 'another stop reason', { ...calls('echo ready'), stopReason: 'end_turn' }, 'fail', []],
  ['tool call', 'in the text', says('<tool_call>{}'), 'fail', ['QUIRK_TOOL_TEXT=true']],
  ['tool call', 'words only', says('ready'), 'fail', []],
  ['tool call', 'refused', refuses('tool_choice is unknown'), 'fail', ['QUIRK_TOOL_CHOICE=auto']],
  ['tool call', 'overloaded', failedWith('overloaded_error', 'tool_choice'), 'fail', []],
  ['tool call', 'rate limited', failedWith('rate_limit_error'), 'warn', []],
  ['parallel calls', 'two', calls('echo one', 'echo two'), 'ok', []],
  ['parallel calls', 'one', calls('echo one'), 'warn', []],
  ['parallel calls', 'none', says('no'), 'warn', []],
  ['parallel calls', 'mixed up', calls('echo oneecho two', ''), 'fail', ['QUIRK_TOOL_ARGS=buffer']],
  [
    'parallel calls',
    'the same id',
    { ...calls(), toolUses: calls('echo one', 'echo two').toolUses.map((use) => ({ ...use, id: 'a' })) },
    'fail',
    [],
  ],
  ['parallel calls', 'refused', refuses('parallel_tool_calls'), 'fail', ['QUIRK_PARALLEL_TOOL_CALLS=false']],
  ['image', 'seen', says('It is Red.'), 'ok', []],
  ['image', 'not seen', says('It is blurred.'), 'fail', ['QUIRK_VISION=false']],
  ['image', 'refused', refuses('no images'), 'fail', ['QUIRK_VISION=false']],
  ['image', 'not answered', failedWith('timeout_error'), 'fail', []],
  ['image of a tool', 'seen', says('Red'), 'ok', []],
  ['image of a tool', 'not seen', says('There is none.'), 'fail', ['QUIRK_TOOL_IMAGES=inline']],
  ['image of a tool', 'refused', refuses('image_url'), 'fail', ['QUIRK_TOOL_IMAGES=inline']],
  ['reasoning', 'none', says('391'), 'warn', []],
  ['reasoning', 'but no call', says('391', { thinking: 'x' }), 'warn', []],
  ['reasoning', 'refused', refuses('thinking is not supported'), 'fail', ['QUIRK_REASONING_STYLE=none']],
  ['many tools', 'the one that is meant', callOf('mcp__archive__open_shelf_148'), 'ok', []],
  ['many tools', 'another one', callOf('mcp__archive__open_shelf_1'), 'warn', ['QUIRK_TOOLS_MAX=40']],
  ['many tools', 'none', says('Opened.'), 'warn', []],
  ['many tools', 'refused', refuses('tools: at most 32'), 'fail', ['QUIRK_TOOLS_MAX=64']],
  ['many tools', 'not answered', failedWith('timeout_error'), 'fail', []],
  ['cached tokens', 'counted', sampleAnswer({ usage: cached }), 'ok', []],
  ['cached tokens', 'none', sampleAnswer(), 'warn', []],
  ['stop sequence', 'kept', says('alpha bravo ', { stopReason: 'stop_sequence' }), 'ok', []],
  ['stop sequence', 'kept without a reason', says('alpha bravo'), 'ok', []],
  ['stop sequence', 'ignored', says('alpha bravo charlie'), 'fail', ['QUIRK_STOP_MAX=0', 'QUIRK_LOCAL_STOP=true']],
  ['stop sequence', 'not repeated', says('What?'), 'warn', []],
  ['stop sequence', 'refused', refuses('unknown field stop'), 'fail', ['QUIRK_STOP_MAX=0', 'QUIRK_LOCAL_STOP=true']],
  ['structured output', 'fits', says('{"animal":"cat","legs":4}'), 'ok', []],
  ['structured output', 'does not fit', says('{"animal":"cow","legs":4}'), 'fail', ['QUIRK_JSON_MODE=object']],
  ['structured output', 'prose', says('A cat.'), 'fail', ['QUIRK_JSON_MODE=object']],
  ['structured output', 'refused', refuses('response_format'), 'fail', ['QUIRK_JSON_MODE=object']],
  ['overflow', 'understood', refuses('prompt is too long: 9 tokens > 5 maximum'), 'ok', []],
  ['overflow', 'too many bytes', failedWith('request_too_large'), 'ok', []],
  ['overflow', 'not understood', refuses('no'), 'fail', []],
  ['overflow', 'rate limited', failedWith('rate_limit_error'), 'warn', []],
  ['overflow', 'taken', sampleAnswer(), 'warn', []],
];

test.each(rows)('%s, %s', (name, _what, answer, result, quirks) => {
  const outcome = checkOf(name).evaluate(answer, answer, window(1000));
  expect({ result: outcome.result, quirks: outcome.quirks }).toEqual({ result, quirks });
});

test('more tools are sent than the server takes, the one that is meant last; what it says names both figures', () => {
  const subject = sampleSubject({ toolsMax: 30 });
  const request = JSON.stringify(manyTools.turns[0]?.([], subject));
  expect(request.match(/"name":"mcp__archive__open_shelf_/g)).toHaveLength(50);
  expect(request).toMatch(/"mcp__archive__open_shelf_50"[^[]*\]/);
  expect(request).toContain('open shelf 50 of the archive');
  const answer = callOf('mcp__archive__open_shelf_50');
  expect(manyTools.evaluate(answer, answer, subject).detail).toBe('30 of 50 offered, the right one called');
  expect(manyTools.skip?.(sampleSubject({}, { isLocal: true }))).toContain('its window');
  expect(manyTools.skip?.(sampleSubject({ toolsMax: 30 }, { isLocal: true }))).toBeUndefined();
  expect(manyTools.skip?.(sampleSubject())).toBeUndefined();
});

test('every quirk that is named exists', () => {
  const known = new Set(Object.keys(defaultSettings).map(environmentName));
  const named = rows.flatMap(([, , , , quirks]) => quirks).map((line) => line.split('=')[0]);
  expect(named.filter((name) => !known.has(name ?? ''))).toEqual([]);
});

describe('what is not asked', () => {
  test.each([
    ['image', sampleSubject({ vision: false })],
    ['image of a tool', sampleSubject({ vision: false })],
    ['reasoning', sampleSubject({ reasoningStyle: 'none' })],
    ['structured output', sampleSubject({ jsonMode: 'none' })],
    ['overflow', sampleSubject()],
    ['overflow', sampleSubject({ contextWindow: 1000 }, { isLocal: true })],
    ['overflow', sampleSubject({ contextWindow: 1_000_000 }, { maxBodyBytes: 1_000_000 })],
  ])('%s', async (name, subject) => {
    const ask = vi.fn();
    expect((await runFullCheck(checkOf(name), subject, ask)).result).toBe('skipped');
    expect(ask).not.toHaveBeenCalled();
  });
});

describe('reasoning goes back', () => {
  const content = [
    { type: 'thinking', thinking: 'x', signature: 's' },
    { type: 'tool_use', id: 'toolu_0', name: 'Bash', input: { command: 'echo 391' } },
  ];
  const first = { ...calls('echo 391'), thinking: 'x', content };

  test('as it came, with a result for each call', async () => {
    const ask = vi.fn().mockResolvedValueOnce(first).mockResolvedValueOnce(says('391'));
    expect(await runFullCheck(checkOf('reasoning'), sampleSubject(), ask)).toMatchObject({ result: 'ok', ms: 3000 });
    expect(ask.mock.calls[1]?.[0].messages.slice(1)).toEqual([
      { role: 'assistant', content },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_0', content: '391' }] },
    ]);
  });

  test('R622 also where the model shows nothing of what it thinks', async () => {
    const hidden = content.map((block) => (block.type === 'thinking' ? { ...block, thinking: '' } : block));
    const silent = { ...first, thinking: '', content: hidden };
    const ask = vi.fn().mockResolvedValueOnce(silent).mockResolvedValueOnce(says('391'));
    const row = await runFullCheck(checkOf('reasoning'), sampleSubject(), ask);
    expect(row).toMatchObject({ result: 'ok', detail: expect.stringContaining('without words') });
    expect(ask.mock.calls[1]?.[0].messages[1]).toEqual({ role: 'assistant', content: hidden });
  });

  test.each([
    [
      'reasoning_content is missing',
      ['QUIRK_REASONING_REPLAY=reasoning_content', 'QUIRK_REASONING_REQUIRED=placeholder'],
    ],
    ['the thought_signature is missing', ['QUIRK_THOUGHT_SIGNATURE=true']],
    ['no', []],
  ])('refused: %s', async (message, quirks) => {
    const ask = vi.fn().mockResolvedValueOnce(first).mockResolvedValueOnce(refuses(message));
    expect(await runFullCheck(checkOf('reasoning'), sampleSubject(), ask)).toMatchObject({ result: 'fail', quirks });
  });
});

test('the same prompt is sent twice, byte for byte, unless the first fails', async () => {
  const ask = vi.fn().mockResolvedValue(sampleAnswer());
  await runFullCheck(checkOf('cached tokens'), sampleSubject(), ask);
  expect(ask).toHaveBeenCalledTimes(2);
  expect(ask.mock.calls[0]).toEqual(ask.mock.calls[1]);
  const failing = vi.fn().mockResolvedValue(failedWith('overloaded_error'));
  await runFullCheck(checkOf('cached tokens'), sampleSubject(), failing);
  expect(failing).toHaveBeenCalledTimes(1);
});

test('the picture of a tool stands in its result, and where it should go instead follows from where it went', async () => {
  const ask = vi.fn().mockResolvedValue(says('blue'));
  const row = await runFullCheck(checkOf('image of a tool'), sampleSubject({ toolImages: 'inline' }), ask);
  expect(row.quirks).toEqual(['QUIRK_TOOL_IMAGES=after']);
  expect(ask.mock.calls[0]?.[0].messages[2].content).toMatchObject([
    { type: 'tool_result', tool_use_id: 'toolu_square', content: [{ type: 'image' }] },
  ]);
});

test('where another model describes pictures, both checks are made and say who did it', async () => {
  const subject = sampleSubject({ vision: false }, { vision: 'eyes' });
  for (const name of ['image', 'image of a tool']) {
    const seen = await runFullCheck(checkOf(name), subject, vi.fn().mockResolvedValue(says('Red')));
    expect(seen).toMatchObject({ result: 'ok', detail: 'described by eyes' });
    const unseen = await runFullCheck(checkOf(name), subject, vi.fn().mockResolvedValue(says('blurred')));
    const suggestions = ['Whether eyes could be asked: ./manage logs NAME --errors'];
    expect(unseen).toMatchObject({ result: 'fail', quirks: [], suggestions });
  }
});

test.each([
  [undefined, 'the model sees'],
  ['eyes', 'the model sees, or eyes described it'],
])('a model that is not known as blind, where pictures are described by %s', async (vision, detail) => {
  for (const name of ['image', 'image of a tool']) {
    const seen = await runFullCheck(
      checkOf(name),
      sampleSubject({}, { vision }),
      vi.fn().mockResolvedValue(says('Red')),
    );
    expect(seen).toMatchObject({ result: 'ok', detail });
  }
});

test('the overflow is twice the window', async () => {
  const ask = vi.fn().mockResolvedValue(refuses('prompt is too long'));
  await runFullCheck(checkOf('overflow'), window(1000), ask);
  const [{ messages, max_tokens: maxTokens }] = ask.mock.calls[0] ?? [];
  expect(messages[0].content.split(' ')).toHaveLength(2001);
  expect(maxTokens).toBe(1);
});

test('the image is a PNG whose pixels are all red', () => {
  const png = Buffer.from(redSquare(), 'base64');
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  const start = png.indexOf('IDAT') + 4;
  const pixels = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  expect(pixels).toHaveLength(64 * (1 + 64 * 3));
  expect([...new Set(pixels.toString('hex').match(/.{386}/g))]).toEqual([`00${'ff0000'.repeat(64)}`]);
});

describe('the search of the web', () => {
  const found = (content: unknown, text = 'Sunny.') =>
    sampleAnswer({
      text,
      content: [{ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: content as never }],
    });
  const searching = { ...sampleSubject(), searchesBy: 'Brave Search' };

  test.each([
    ['pages', found([{ url: 'https://a.test/' }, { url: 'https://b.test/' }]), 'ok', 'Brave Search found 2 pages'],
    ['nothing', found([]), 'warn', 'Brave Search found nothing'],
    [
      'a failure',
      found({ error_code: 'unavailable' }, 'The web search failed.'),
      'fail',
      'Brave Search: The web search failed.',
    ],
    ['words alone', says('I know it'), 'fail', 'Brave Search: no search was done'],
    ['an error', failedWith('api_error', 'broken'), 'fail', 'broken'],
  ])('%s', async (_what, answer, result, detail) => {
    expect(await runFullCheck(webSearch, searching, async () => answer)).toMatchObject({ result, detail });
  });

  test('is not tried where nobody searches', async () => {
    const row = await runFullCheck(webSearch, sampleSubject(), async () => says(''));
    expect(row).toMatchObject({ result: 'skipped', detail: expect.stringContaining('docs/SEARCH.md') });
  });
});
