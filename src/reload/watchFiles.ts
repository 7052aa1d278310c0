import { ChangeDetector } from './changeDetector.ts';
import { fileSignature } from './fileSignature.ts';

/** Two looks make a change, so that one is acted upon within half a second and a little more. */
const LOOK_MS = 250;

export interface Watch {
  close(): void;
}

/**
 * Calls `onChange` when one of the files has changed, has come or has gone, as soon as it lies still. It looks at them again and again
 * (docs/decisions/2026-11-20-reload.md says why) and does not keep the process alive.
 * @param files asked before each look: absolute paths, also of files that are not there yet
 */
export function watchFiles(files: () => readonly string[], onChange: () => void): Watch {
  const detector = new ChangeDetector();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const signatures = files().map((path) => `${path}=${fileSignature(path)}`);
    if (detector.look(signatures.join('\n'))) onChange();
    if (!isClosed) plan();
  }

  function plan(): void {
    timer = setTimeout(look, LOOK_MS).unref();
  }

  plan();
  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
