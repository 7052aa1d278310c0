import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { guessShell, shellLines, shellNames } from '../../../../src/cli/claude/shells.ts';

const NASTY = [
  "it's",
  '"quoted"',
  '$HOME `id` $(id)',
  'back\\slash\\',
  "\\'",
  'two\nlines',
  'ünïcode 你好',
  '*?[a]{b}~!#&;|<>',
  '‘typographic’',
];
const hasProgram = (name: string) => spawnSync(name, ['--version']).status === 0;

describe('what is printed for a shell sets exactly the value', () => {
  const shells = shellNames.filter((name) => name !== 'powershell').filter(hasProgram);
  test.each(shells.flatMap((shell) => NASTY.map((value) => [shell, value] as const)))('%s: %j', (shell, value) => {
    const script = `${shellLines(shell, { GONE: '', VALUE: value })}\nprintf '%s|' "$VALUE" "$GONE"`;
    const printed = execFileSync(shell, ['-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], GONE: 'x' },
    });
    expect(printed).toBe(`${value}||`);
  });
});

test('PowerShell doubles every quote that it knows', () => {
  expect(shellLines('powershell', { A: "it's ‘so’", B: '', C: '' })).toBe(
    "Remove-Item Env:B, Env:C -ErrorAction SilentlyContinue\n$Env:A = 'it''s ‘‘so’’'",
  );
});

test.each([
  ['/usr/bin/zsh', 'zsh'],
  ['fish', 'fish'],
  ['/bin/sh', 'bash'],
  [undefined, 'bash'],
])('the shell %s is spoken to as %s', (program, shell) => {
  expect(guessShell(program)).toBe(shell);
});
