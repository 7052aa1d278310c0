interface LookAround {
  /** Node's option that gives the right. */
  readonly option: string;
  readonly scope: string;
  readonly reference?: string;
}

/**
 * The right to find out who listens on a port: by the kernel's own files on Linux, by a program elsewhere (src/host/portHolder.ts).
 * An instance needs it until it listens itself; without it the message about a port that is taken does not say by whom.
 */
export const LOOK_AROUND: LookAround =
  process.platform === 'linux'
    ? { option: '--allow-fs-read=/proc/*', scope: 'fs.read', reference: '/proc/*' }
    : { option: '--allow-child-process', scope: 'child' };

/** Gives the right up, until the end of the process. Nothing happens in one that has all rights. */
export function giveUpLookingAround(): void {
  process.permission?.drop(LOOK_AROUND.scope, LOOK_AROUND.reference);
}
