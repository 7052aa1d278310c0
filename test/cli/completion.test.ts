import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCommands } from '../../src/cli/command.ts';
import { commandNames, commandTable } from '../../src/cli/commandTable.ts';
import { optionTable } from '../../src/cli/options.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

let project: TemporaryProject;
const scripts: Record<string, string> = {};

const hasProgram = (name: string) => spawnSync(name, ['--version']).status === 0;
const execute = (shell: string, words: string[], text: string) =>
  execFileSync(shell, [...words, '-c', text], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: project.root,
  });

/** What each shell offers at the end of a line, by its own machinery. */
const offers: Record<string, (line: string) => string[]> = {
  bash: (line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    const ask = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; "$(complete -p manage | cut -d' ' -f3)"`;
    return execute('bash', ['--norc'], `${scripts['bash']}\n${ask}; printf '%s\\n' "\${COMPREPLY[@]}"`).split('\n');
  },
  fish: (line) =>
    execute('fish', ['--no-config'], `${scripts['fish']}\ncomplete -C '${line}'`)
      .split('\n')
      .map((offer) => offer.replace(/\t.*/, '')),
};

beforeAll(async () => {
  project = await createProject();
  for (const name of ['one', 'other']) await project.addInstance(name);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await project.manage(['completion', shell]);
    expect(code).toBe(0);
    scripts[shell] = stdout;
  }
});
afterAll(() => project.dispose());

describe.each(Object.keys(offers).filter(hasProgram))('%s', (shell) => {
  const offered = (line: string) => offers[shell]?.(line).filter(Boolean).sort();

  test.each<[string, readonly string[]]>([
    ['./manage sto', ['stop']],
    ['./manage start ', ['all', 'one', 'other']],
    ['./manage start ot', ['other']],
    ['./manage run ', ['one', 'other']],
    ['./manage --ver', ['--version']],
    ['./manage token ', ['add', 'list', 'one', 'other', 'revoke']],
    [
      './manage usage --by ',
      ['client', 'day', 'instance', 'intent', 'model', 'project', 'provider', 'session', 'side'],
    ],
    ['./manage env one --shell po', ['powershell']],
    ['./manage completion ', ['bash', 'fish', 'zsh']],
    ['./manage add deeps', ['deepseek', 'deepseek-anthropic']],
    ['./manage help unu', ['unuse']],
    ['./manage status --js', ['--json']],
    ['./manage edit --js', []],
    ['./manage version ', []],
  ])('%j is completed to %j', (line, expected) => {
    expect(offered(line)).toEqual(expected);
  });

  test('every command and its long options, as the table has them', async () => {
    expect(offered('./manage ')).toEqual([...commandNames].sort());
    for (const [name, { options }] of await loadCommands(commandTable)) {
      const flags = options.map((option) => `--${optionTable[option].name}`);
      expect(offered(`./manage ${name} --`)).toEqual(flags.sort());
    }
  }, 60_000);

  test('an instance that is made later is known at once', async () => {
    await project.addInstance('brand-new');
    expect(offered('./manage run br')).toEqual(['brand-new']);
    rmSync(join(project.root, 'envs', 'brand-new.env'));
  });

  test('behind -- come files, as that is for claude', () => {
    mkdirSync(join(project.root, 'notes'), { recursive: true });
    writeFileSync(join(project.root, 'notes-of-mine'), '');
    expect(offered('./manage run one -- notes-of')).toEqual(['notes-of-mine']);
  });
});

test.runIf(hasProgram('zsh'))('zsh takes the script', () => {
  expect(spawnSync('zsh', ['-fn', '-c', scripts['zsh'] ?? '']).status).toBe(0);
});

test('the script for zsh names every command and option', async () => {
  for (const [name, { options }] of await loadCommands(commandTable)) {
    expect(scripts['zsh']).toContain(`    ${name}) _arguments`);
    for (const option of options) expect(scripts['zsh']).toContain(`--${optionTable[option].name}[`);
  }
});
