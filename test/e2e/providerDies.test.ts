import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Behaviour, type FakeUpstream, type ReceivedRequest, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { resultsOf } from '../helpers/received.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { provider } from '../helpers/startProviders.ts';
import { reply, turn } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

const COMMANDS = ['echo first', 'echo second', 'echo third'];

/** Calls the tool three times, one after the other, then ends; each answer says who gave it. */
function session(name: string): Behaviour {
  return reply((request: ReceivedRequest) => {
    const results = resultsOf(request).length;
    const command = COMMANDS[results];
    if (command === undefined) return turn({ text: `SESSION ENDED BY ${name}` });
    return turn({ text: `${name} calls`, calls: [{ id: `call_${results}`, name: 'Bash', input: { command } }] });
  });
}

test('a session goes on when the first provider dies in the middle of it', async () => {
  const one: FakeUpstream = await startFakeUpstream({
    '*': (response, request) => {
      // The second turn breaks off in the middle, and from then on nobody listens there any more.
      if (resultsOf(request).length === 0) return session('ONE')(response, request);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"index":0,"delta":{"content":"HALF"},"finish_reason":null}]}\n\n', () => {
        response.destroy();
        void one.close();
      });
      return undefined;
    },
  });
  const two = await startFakeUpstream({ '*': session('TWO') });
  const folder = workFolder();
  const file = join(folder, 'providers.json');
  const providers = [provider('one', one.url), provider('two', two.url, { priority: 2 })];
  writeFileSync(file, JSON.stringify({ providers, fallback_strategy: 'priority' }), { mode: 0o600 });
  const proxy = await startBinary({ PROVIDERS_FILE: file });
  onTestFinished(async () => {
    await proxy.stop();
    await two.close();
  });

  const run = await runClaude(proxy.url, 'Run the three commands.', { allowedTools: 'Bash(echo:*)' });
  expect(run).toMatchObject({ exitCode: 0, text: 'SESSION ENDED BY TWO' });
  expect(one.requests.length).toBeGreaterThan(1);
  const last = two.requests.findLast((request) => resultsOf(request).length === COMMANDS.length);
  expect(last === undefined ? [] : resultsOf(last)).toEqual([
    expect.stringContaining('first'),
    expect.stringContaining('second'),
    expect.stringContaining('third'),
  ]);
});
