import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inTurn } from '../helpers/fakeUpstream.ts';
import { callsOf, resultsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply, turn } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

test('R131 claude changes a file in a tool loop, although the provider repeats its call ids', async () => {
  const folder = workFolder();
  const path = join(folder, 'a.txt');
  const { url, upstream } = await setStage(
    inTurn(
      turn({ calls: [{ name: 'Write', input: { file_path: path, content: 'alpha\nbeta "quoted" \\ back\n' } }] }),
      turn({ text: 'I read it.', calls: [{ name: 'Read', input: { file_path: path } }] }),
      turn({ calls: [{ name: 'Edit', input: { file_path: path, old_string: 'beta', new_string: 'BETA {"a": 1}' } }] }),
      turn({ calls: [{ name: 'Read', input: { file_path: join(folder, 'missing.txt') } }] }),
      turn({ text: 'ALL EDITS DONE' }),
    ),
  );
  const run = await runClaude(url, 'Create, read and edit a.txt.', { folder, allowedTools: 'Read,Write,Edit' });
  expect(run).toMatchObject({ exitCode: 0, text: 'ALL EDITS DONE' });
  expect(readFileSync(path, 'utf8')).toBe('alpha\nBETA {"a": 1} "quoted" \\ back\n');
  const last = upstream.requests[4];
  expect(upstream.requests).toHaveLength(5);
  expect(last && callsOf(last).map(({ name }) => name)).toEqual(['Write', 'Read', 'Edit', 'Read']);
  expect(last && resultsOf(last)[1]).toContain('beta "quoted" \\ back');
  expect(last && resultsOf(last)[3]).toMatch(/^\[tool error\] .*does not exist/s);
});

test('R131 three parallel calls with one and the same id all run and get their own results', async () => {
  const commands = [1, 2, 3].map((number) => `sleep 0.${4 - number}; echo result-${number}`);
  const { url, upstream } = await setStage(
    reply((request) =>
      resultsOf(request).length > 0
        ? { text: 'PARALLEL DONE' }
        : {
            text: 'Running three.',
            calls: commands.map((command) => ({ name: 'Bash', input: { command, description: 'run it' } })),
          },
    ),
  );
  const run = await runClaude(url, 'Run three commands.', { allowedTools: 'Bash' });
  expect(run).toMatchObject({ exitCode: 0, text: 'PARALLEL DONE' });
  expect(upstream.requests).toHaveLength(2);
  const [, second] = upstream.requests;
  expect(second && callsOf(second).map(({ input }) => input['command'])).toEqual(commands);
  expect(second && resultsOf(second)).toEqual(['result-1', 'result-2', 'result-3']);
});
