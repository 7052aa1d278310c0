import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProject, type TemporaryProject } from '../cli/temporaryProject.ts';
import { hasTmux, isPrompting, openTerminal, type Terminal } from '../cli/terminal.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { claudeEnvironment, installClaude } from './claudeClient.ts';

const SETTINGS = '{\n    "model": "opusplan",\n    "cleanupPeriodDays": 30\n}\n';

let project: TemporaryProject;
let home: string;
let work: string;

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  home = join(dirname(project.root), 'home');
  work = join(home, 'work');
  mkdirSync(join(home, '.claude'), { recursive: true });
  mkdirSync(work);
  writeFileSync(
    join(home, '.claude.json'),
    JSON.stringify({ hasCompletedOnboarding: true, projects: { [work]: { hasTrustDialogAccepted: true } } }),
  );
  await project.addInstance('demo', ['PROVIDER=demo', 'BIG_MODEL=demo-big', 'SMALL_MODEL=demo-small']);
});
afterAll(() => project.dispose());

const settingsFile = () => join(home, '.claude', 'settings.json');

/** Opens the menu of models in a session through the instance. */
async function openMenu(): Promise<Terminal> {
  writeFileSync(settingsFile(), SETTINGS);
  const { ANTHROPIC_BASE_URL: _, ANTHROPIC_AUTH_TOKEN: __, ...environment } = claudeEnvironment('', home);
  const terminal = await openTerminal(
    work,
    { ...environment, PM2_HOME: project.pm2Home, CLAUDE_BIN: installClaude(), INIT_CWD: work },
    { columns: 120, rows: 40 },
  );
  await terminal.type(`${process.execPath} ${join(project.root, 'scripts', 'manage.ts')} run demo`);
  const shows = (text: RegExp) => async () => (await terminal.screen()).some((line) => text.test(line));
  await waitUntil('claude asks', shows(/^❯/));
  await terminal.type('/model');
  await waitUntil('the menu is there', shows(/Select model/));
  return terminal;
}

describe.runIf(hasTmux)('/model in a run', () => {
  test('shows each model once, named by its tiers, with its window, and leaves the user’s default alone', async () => {
    const terminal = await openMenu();
    const rows = (await terminal.screen())
      .filter((line) => /^\s*(?:❯ )?\s*\d\. /.test(line))
      .map((line) => line.trim());
    expect(rows).toEqual([
      expect.stringMatching(/^1\. Default .*\(currently demo-big\)/),
      expect.stringMatching(/^❯ 2\. Opus, Sonnet: demo-big ✔ +Demo .*, 200k tokens of context$/),
      expect.stringMatching(/^3\. Haiku: demo-small +Demo .*, 200k tokens of context$/),
    ]);
    await terminal.press('Down');
    await terminal.press('Enter');
    await waitUntil('the client keeps it', async () => readFileSync(settingsFile(), 'utf8').includes('"haiku"'));
    await terminal.type('/exit');
    await waitUntil('the shell asks again', async () => isPrompting(await terminal.screen()));
    expect(readFileSync(settingsFile(), 'utf8')).toBe(SETTINGS);
  });
});
