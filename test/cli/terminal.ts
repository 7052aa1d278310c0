import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { waitUntil } from '../helpers/waitUntil.ts';

const run = promisify(execFile);

/** Whether this machine has tmux, in whose terminals a test can look at what a user would see. */
export const hasTmux = ((): boolean => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A terminal with a shell in it. */
export interface Terminal {
  /** What is on the screen, line by line. */
  screen(): Promise<string[]>;
  /** Whether the alternate screen is shown, and whether the cursor. */
  modes(): Promise<{ alternate: boolean; cursor: boolean }>;
  /** Types a line. */
  type(line: string): Promise<void>;
  /** Presses a key by tmux's name for it, such as `q` or `C-c`. */
  press(key: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
}

/** Whether the shell waits for a line: what is typed before may be lost. */
export const isPrompting = (screen: readonly string[]): boolean =>
  /^[$#]$/.test(screen.findLast((line) => line !== '') ?? '');

/** Opens a terminal of its own for a test; resolves when its shell waits for a line. */
export async function openTerminal(
  folder: string,
  environment: Record<string, string>,
  size: { readonly columns: number; readonly rows: number },
): Promise<Terminal> {
  const home = mkdtempSync(join(tmpdir(), 'tmux-'));
  const socket = join(home, 'socket');
  const tmux = async (...words: string[]) => (await run('tmux', ['-S', socket, '-f', '/dev/null', ...words])).stdout;
  const env = Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const { columns, rows } = size;
  await tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', folder, ...env, 'sh');
  onTestFinished(async () => {
    await tmux('kill-server');
    rmSync(home, { recursive: true, force: true });
  });
  const screen = async () => (await tmux('capture-pane', '-p')).split('\n').slice(0, -1);
  await waitUntil('the shell asks', async () => isPrompting(await screen()));
  return {
    screen,
    modes: async () => {
      const [alternate, cursor] = (await tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}'))
        .trim()
        .split(' ');
      return { alternate: alternate === '1', cursor: cursor === '1' };
    },
    type: async (line) => {
      await tmux('send-keys', '-l', line);
      await tmux('send-keys', 'Enter');
    },
    press: async (key) => void (await tmux('send-keys', key)),
    resize: async (width, height) => void (await tmux('resize-window', '-x', String(width), '-y', String(height))),
  };
}
