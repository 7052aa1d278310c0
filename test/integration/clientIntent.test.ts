import { afterEach, expect, test } from 'vitest';
import { shortHash } from '../../src/telemetry/requestRecord.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const SESSION = '262112a0-8142-43c0-a37f-ac2ca3b0a977';
const FOLDER = '/home/me/shop';

const request = (session: string, fields: Record<string, unknown> = {}) => {
  const { headers, ...rest } = message('claude-opus-5', fields);
  return { ...rest, headers: { ...headers, 'x-claude-code-session-id': session } };
};

let app: TestApp | undefined;
afterEach(() => app?.close());

test.each([
  ['hash', shortHash(FOLDER)],
  ['names', FOLDER],
  ['off', null],
])('USAGE_PROJECTS=%s: the row has intent, session and project, and the log the intent alone', async (how, project) => {
  app = await startApp({ PROVIDER: 'demo', USAGE_PROJECTS: how });
  const system = `# Environment\nWorking directory: ${FOLDER}\n`;
  const { status } = await call(`${app.url}/v1/messages`, request(SESSION, { system, max_tokens: 1 }));
  expect(status).toBe(200);
  expect(app.usageRows).toEqual([expect.objectContaining({ intent: 'connection_test', session_id: SESSION, project })]);
  expect(app.log).toEqual([expect.objectContaining({ intent: 'connection_test', session: shortHash(SESSION) })]);
  expect(JSON.stringify(app.log)).not.toContain(FOLDER);
  expect(JSON.stringify(app.log)).not.toContain(SESSION);
});

test('a session’s id that is none of Claude Code’s is kept as a hash only', async () => {
  app = await startApp({ PROVIDER: 'demo' });
  await call(`${app.url}/v1/messages`, request('somebody@example.com'));
  expect(app.usageRows).toEqual([
    expect.objectContaining({ session_id: null, session: shortHash('somebody@example.com') }),
  ]);
});
