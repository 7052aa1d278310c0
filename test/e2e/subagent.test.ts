import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clientEnvironment } from '../../src/config/clientEnvironment.ts';
import { configOf } from '../helpers/configText.ts';
import { messagesOf, resultsOf, textOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

test.each([
  ['without further variables', false],
  ['with all that ./manage run gives it', true],
])(
  'a subagent runs its own tool loop on the small model, %s, and its report reaches the parent',
  async (_how, hasVariables) => {
    const folder = workFolder();
    const { url, upstream } = await setStage(
      reply((request) => {
        const [result] = resultsOf(request);
        const isSubagent = messagesOf(request).some(
          (message) => textOf(message).includes('SUBAGENT-JOB') && message.role === 'user',
        );
        if (isSubagent && result === undefined) {
          return { calls: [{ name: 'Bash', input: { command: 'echo found | tee job.txt', description: 'do it' } }] };
        }
        if (isSubagent) return { text: `REPORT: ${result}` };
        if (result !== undefined) return { text: 'PARENT DONE' };
        const input = {
          description: 'do the job',
          prompt: 'SUBAGENT-JOB: run the command and report.',
          subagent_type: 'general-purpose',
          model: 'haiku',
          run_in_background: false,
        };
        return { calls: [{ name: 'Agent', input }] };
      }),
    );
    const config = configOf([
      'PROVIDER=custom',
      `OPENAI_BASE_URL=${url}`,
      'OPENAI_API_KEY=key',
      'BIG_MODEL=big',
      'SMALL_MODEL=small',
    ]);
    const environment = hasVariables ? { ...clientEnvironment(config), ANTHROPIC_BASE_URL: url } : {};
    const run = await runClaude(url, 'Delegate it.', { folder, allowedTools: 'Bash,Agent', environment });
    expect(run).toMatchObject({ exitCode: 0, text: 'PARENT DONE' });
    expect(readFileSync(join(folder, 'job.txt'), 'utf8')).toBe('found\n');
    expect(upstream.requests.map(({ body }) => body.model)).toEqual(['big', 'small', 'small', 'big']);
    const last = upstream.requests[3];
    expect(last && resultsOf(last)[0]).toContain('REPORT: found');
  },
);
