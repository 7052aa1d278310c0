#!/usr/bin/env node
/**
 * A fake Claude Code: prints what it was given, as JSON, and ends as its words wish: `--exit N`, or `--wait`, until a signal
 * comes, which it prints. `--transcript ID` writes the transcript of a session as Claude Code does.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const words = process.argv.slice(2);
const after = (option) => words[words.indexOf(option) + 1];
const file = after('--settings');

if (words.includes('--wait')) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      process.stdout.write(`got ${signal}\n`);
      // Not at once, so that a second signal for the same key press would be seen too.
      setTimeout(() => process.exit(words.includes('--exit') ? Number(after('--exit')) : 9), 200);
    });
  }
  setInterval(() => {}, 1000);
}
if (words.includes('--transcript')) {
  const folder = join(process.env.HOME, '.claude', 'projects', process.cwd().replaceAll(/[^A-Za-z0-9]/g, '-'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${after('--transcript')}.jsonl`), '{}\n');
}
const seen = {
  words,
  directory: process.cwd(),
  environment: process.env,
  file,
  mode: (statSync(file).mode & 0o777).toString(8),
  settings: JSON.parse(readFileSync(file, 'utf8')),
};
process.stdout.write(`${JSON.stringify(seen)}\n`);
if (!words.includes('--wait')) process.exit(words.includes('--exit') ? Number(after('--exit')) : 0);
