import build from '../globalSetup.ts';
import { missing } from './browser.ts';

/** Builds what the tests run, the page among it; says why, where they are skipped. */
export default async function setup(): Promise<void> {
  if (missing === undefined) await build();
  else process.stdout.write(`skipped: ${missing}\n`);
}
