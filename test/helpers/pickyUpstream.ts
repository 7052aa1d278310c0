import { expect, onTestFinished } from 'vitest';
import { lintHeaders, lintRequest } from './chatLint.ts';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream } from './fakeUpstream.ts';
import { lintResponses } from './responsesLint.ts';

/**
 * A provider of both of OpenAI's APIs that answers every model alike and refuses with 400 what the pickiest provider would refuse. It is closed at
 * the end of the test, which fails if anything was refused.
 */
export async function startPickyUpstream(behaviour: Behaviour): Promise<FakeUpstream> {
  const refusals: string[] = [];
  const upstream = await startFakeUpstream({
    '*': (response, request) => {
      const isResponses = request.path.endsWith('/responses');
      const problems = isResponses
        ? [...lintHeaders(request.headers), ...lintResponses(request.body)]
        : lintRequest(request);
      if (problems.length === 0) return behaviour(response, request);
      refusals.push(...problems.map((problem) => `request ${upstream.requests.length}: ${problem}`));
      return json(400, { error: { message: problems.join('; '), type: 'invalid_request_error' } })(response, request);
    },
  });
  onTestFinished(async () => {
    await upstream.close();
    expect(refusals).toEqual([]);
  });
  return upstream;
}
