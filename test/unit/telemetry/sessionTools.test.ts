import { expect, test } from 'vitest';
import { SessionTools } from '../../../src/telemetry/requestCounters.ts';
import type { RequestRecord } from '../../../src/telemetry/requestRecord.ts';

const request = (changes: Partial<RequestRecord>): RequestRecord => ({
  id: 'req_1',
  endpoint: '/v1/messages',
  provider: 'kimi',
  stream: true,
  status: 200,
  outcome: 'ok',
  durationMs: 1,
  session: 'a',
  ...changes,
});
const searching = request({ toolSearch: true });
const refused = request({ toolSearch: true, status: 400, outcome: 'error', errorMessage: '[kimi 400] odd' });
const withAll = request({ toolSearch: false });

const finishAll = (tools: SessionTools, ...records: readonly RequestRecord[]) =>
  records.map((record) => tools.finish(record)?.kind).filter((kind) => kind !== undefined);

test('tools that are left out are reported once in each session, and counted by the latest request', () => {
  const tools = new SessionTools();
  const limited = (session: string | undefined, toolsLeftOut: number) => request({ session, toolsLeftOut });
  expect(tools.finish(limited('a', 3))).toEqual({ kind: 'limited', leftOut: 3 });
  expect(finishAll(tools, limited('a', 4), limited('b', 5), limited('b', 6), request({}))).toEqual(['limited']);
  // Of clients that name no session one is reported.
  expect(finishAll(tools, limited(undefined, 7), limited(undefined, 8))).toEqual(['limited']);
  expect(tools.snapshot()).toEqual({ limitedSessions: 3, leftOut: 8, searchLostSessions: 0 });
});

test('a search that the client gives up after refusals is reported once, with the words of the last', () => {
  const tools = new SessionTools();
  const early = { ...refused, errorMessage: 'early' };
  expect(finishAll(tools, searching, early, refused, refused)).toEqual([]);
  expect(tools.finish(withAll)).toEqual({ kind: 'search_lost', reason: '[kimi 400] odd' });
  expect(finishAll(tools, withAll, withAll)).toEqual([]);
  expect(tools.snapshot()).toMatchObject({ searchLostSessions: 1, searchLostReason: '[kimi 400] odd' });
});

test.each<[string, readonly RequestRecord[]]>([
  ['without a refusal, as the user may have switched it off', [searching, withAll]],
  ['when the search was answered after the refusal', [refused, searching, withAll]],
  ['when nothing is answered without it either', [refused, { ...refused, toolSearch: false }]],
  ['when the refusal is of another session', [refused, request({ toolSearch: false, session: 'b' })]],
  ['when a request beside the conversation is answered', [refused, request({})]],
  ['when it was never there', [{ ...refused, toolSearch: false }, withAll]],
  ['when the refusal is an overload', [{ ...refused, status: 529 }, withAll]],
])('no search is lost %s', (_what, records) => {
  expect(finishAll(new SessionTools(), ...records)).toEqual([]);
});

test('sessions are forgotten, the oldest first, so that memory is bounded', () => {
  const tools = new SessionTools();
  tools.finish(refused);
  for (let count = 0; count < 1000; count += 1) tools.finish(request({ toolSearch: true, session: `s${count}` }));
  expect(finishAll(tools, withAll)).toEqual([]);
  expect(finishAll(tools, { ...refused, session: 's999' }, { ...withAll, session: 's999' })).toEqual(['search_lost']);
});
