import { quotePosix } from '../../core/text.ts';

/** How a shell sets and forgets variables. */
interface Shell {
  set(name: string, value: string): string;
  unset(names: readonly string[]): string;
  /** How to take over what is printed. */
  evaluate(command: string): string;
}

/** A word for fish, in which nothing has a meaning. */
export function quoteFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

const posix: Shell = {
  set: (name, value) => `export ${name}=${quotePosix(value)}`,
  unset: (names) => `unset ${names.join(' ')}`,
  evaluate: (command) => `eval "$(${command})"`,
};

const shells = {
  bash: posix,
  zsh: posix,
  fish: {
    set: (name, value) => `set -gx ${name} ${quoteFish(value)}`,
    unset: (names) => `set -e ${names.join(' ')}`,
    evaluate: (command) => `${command} | source`,
  },
  powershell: {
    // It takes typographic quotes for quotes, too.
    set: (name, value) => `$Env:${name} = '${value.replaceAll(/['\u2018-\u201b]/g, '$&$&')}'`,
    unset: (names) => `Remove-Item ${names.map((name) => `Env:${name}`).join(', ')} -ErrorAction SilentlyContinue`,
    evaluate: (command) => `${command} | Out-String | Invoke-Expression`,
  },
} as const satisfies Record<string, Shell>;

export type ShellName = keyof typeof shells;

export const shellNames = Object.keys(shells) as ShellName[];

/** The shell that the user has, by the variable SHELL; bash where that is another. */
export function guessShell(program: string | undefined): ShellName {
  const name = program?.split('/').at(-1);
  return shellNames.find((known) => known === name) ?? 'bash';
}

/** Lines for a shell's `eval`: variables that are empty are unset, the others set for what is started from now on. */
export function shellLines(shell: ShellName, variables: Readonly<Record<string, string>>): string {
  const { set, unset } = shells[shell];
  const entries = Object.entries(variables);
  const empty = entries.flatMap(([name, value]) => (value === '' ? [name] : []));
  const lines = entries.flatMap(([name, value]) => (value === '' ? [] : [set(name, value)]));
  return [...(empty.length === 0 ? [] : [unset(empty)]), ...lines].join('\n');
}

/** How the user takes over what a command prints. */
export function evalLine(shell: ShellName, command: string): string {
  return shells[shell].evaluate(command);
}
