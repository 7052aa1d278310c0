import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callsOf, resultsOf, toolsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply } from '../helpers/turn.ts';
import { runClaude, workFolder } from './claudeClient.ts';

test('R139 tools whose names are too long for the provider are called under shorter ones', async () => {
  const folder = workFolder();
  const configuration = join(folder, 'mcp.json');
  const server = { command: process.execPath, args: [join(import.meta.dirname, 'mcpServer.mjs')] };
  writeFileSync(configuration, JSON.stringify({ mcpServers: { 'company-records': server } }));
  const { url, upstream } = await setStage(
    reply((request) => {
      if (resultsOf(request).length > 0) return { text: 'LOOKED UP' };
      const names = toolsOf(request).map(({ name }) => name);
      const records = names.filter((name) => name.startsWith('mcp__company-records__'));
      return { calls: records.map((name) => ({ name, input: { key: 'k1' } })) };
    }),
  );
  const run = await runClaude(url, 'Look up both records.', {
    folder,
    allowedTools: 'mcp__company-records',
    arguments: ['--mcp-config', configuration, '--strict-mcp-config'],
    environment: { ENABLE_TOOL_SEARCH: 'false' },
  });
  expect(run).toMatchObject({ exitCode: 0, text: 'LOOKED UP' });
  const [, second] = upstream.requests;
  expect(second && callsOf(second).every(({ name }) => name.length === 64)).toBe(true);
  expect(second && resultsOf(second)).toEqual(['first record of k1', 'second record of k1']);
});
