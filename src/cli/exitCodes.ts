/** What the exit status of `./manage` means; scripts rely on it. 78 is EX_CONFIG, the same that the binary gives. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  instanceDown: 3,
  notReady: 4,
  configuration: 78,
  /** As a shell reports it. */
  interrupted: 130,
} as const;

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failed: 'something failed',
  usage: 'wrong usage',
  instanceDown: 'an instance is down (status)',
  notReady: 'an instance was not ready in time',
  configuration: 'wrong configuration',
  interrupted: 'left with Ctrl-C, or with Ctrl-D at a question',
};

/** Each exit status and what it means, for help texts and documents. */
export const exitCodeRows = Object.entries(exitCodes).map(
  ([name, code]) => [code, meanings[name as keyof typeof exitCodes]] as const,
);

/** One of {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The code for a command that had several outcomes: a wrong configuration first, then failures, then slowness. */
export function worstOf(codes: readonly ExitCode[]): ExitCode {
  const order = [exitCodes.configuration, exitCodes.failed, exitCodes.notReady, exitCodes.instanceDown];
  return order.find((code) => codes.includes(code)) ?? exitCodes.ok;
}

/** An expected failure: its message is all that the user sees. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}
