import { readFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import { asString, parseObject } from '../../../src/core/json.ts';
import { localDay } from '../../../src/telemetry/days.ts';
import { isListening } from './isListening.ts';
import { readSessionUsage, type SessionUsage } from './sessionUsage.ts';
import { statusLine } from './statusLine.ts';

/** Where an instance's figures are; all of it stands in the command, so that no configuration has to be read. */
export interface StatusSource {
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly usageFile: string;
}

const STDIN = 0;

/** The session's id, from what Claude Code writes to the commands of status lines; empty when there is none. */
function readSession(): string {
  if (isatty(STDIN)) return '';
  try {
    return asString(parseObject(readFileSync(STDIN, 'utf8'))?.['session_id']) ?? '';
  } catch {
    return '';
  }
}

function readUsage(path: string): SessionUsage | undefined {
  try {
    return readSessionUsage(path, readSession(), localDay(Date.now()));
  } catch {
    return undefined;
  }
}

/** Prints the status line. Never fails: whatever cannot be found out is left out. */
export async function printStatusLine({ instance, host, port, usageFile }: StatusSource): Promise<void> {
  const usage = readUsage(usageFile);
  process.stdout.write(`${statusLine({ instance, isUp: await isListening(host, port), usage })}\n`);
}
