import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { Failure } from '../exitCodes.ts';

/**
 * Opens a file in $VISUAL, $EDITOR or vi, and waits until that ends. The setting may hold arguments, as in `code --wait`: a shell
 * parts them, the path is handed over beside them.
 * @throws Failure when the editor does not end well.
 */
export function openEditor(environment: Context['environment'], file: string): Promise<void> {
  const editor = environment['VISUAL'] || environment['EDITOR'] || 'vi';
  return new Promise((resolve, reject) => {
    // Ctrl-C in the editor reaches this process, too, which has to outlive it.
    process.on('SIGINT', ignore);
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit', env: environment });
    child.once('error', (error) => reject(new Failure(`the editor cannot be run: ${error.message}`)));
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore);
      if (code === 0) resolve();
      else
        reject(new Failure(`the editor (${editor}) ended with ${signal ?? `exit status ${code}`}; nothing is changed`));
    });
  });
}

function ignore(): void {}
