import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { type Invocation, parseCommandLine } from './manage/args.ts';
import { helpText } from './manage/commands/help.ts';
import type { Context } from './manage/context.ts';
import { type ExitCode, exitCodes, Failure } from './manage/exitCodes.ts';
import { createOutput } from './manage/output.ts';
import { createPm2 } from './manage/pm2.ts';

const root = resolve(import.meta.dirname, '..');

type Command = (context: Context, invocation: Invocation) => Promise<ExitCode>;
/** Loaded on demand, so that help is quick, and from the cache, which halves the start of the others. */
const commands: Readonly<Record<Invocation['command'], () => Promise<Command>>> = {
  start: async () => (await import('./manage/commands/start.ts')).start,
  stop: async () => (await import('./manage/commands/stop.ts')).stop,
  restart: async () => (await import('./manage/commands/restart.ts')).restart,
  status: async () => (await import('./manage/commands/status.ts')).status,
  logs: async () => (await import('./manage/commands/logs.ts')).logs,
  test: async () => (await import('./manage/commands/test.ts')).test,
  usage: async () => (await import('./manage/commands/usage.ts')).usage,
};

async function carryOut(invocation: Invocation): Promise<ExitCode> {
  const { quiet, colour } = invocation;
  const output = createOutput({ stdout: process.stdout, stderr: process.stderr, quiet, colour });
  try {
    enableCompileCache(join(root, 'state', 'compile-cache'));
    const command = await commands[invocation.command]();
    return await command({ root, output, pm2: createPm2({ root, environment: process.env }) }, invocation);
  } catch (error) {
    output.complain(error instanceof Error ? error.message : String(error));
    return error instanceof Failure ? error.exitCode : exitCodes.failed;
  }
}

async function main(words: readonly string[]): Promise<ExitCode> {
  const parsed = parseCommandLine(words);
  switch (parsed.kind) {
    case 'usage':
      process.stderr.write(`${parsed.message}\nSee: ./manage --help\n`);
      return exitCodes.usage;
    case 'help':
      process.stdout.write(`${helpText(parsed.topic)}\n`);
      return exitCodes.ok;
    case 'version':
      process.stdout.write(`${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`);
      return exitCodes.ok;
    case 'run':
      return carryOut(parsed.invocation);
  }
}

// `./manage logs all | head` closes the pipe early, which is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  process.stderr.write(`the output cannot be written: ${error.message}\n`);
  process.exit(exitCodes.failed);
});
process.exitCode = await main(process.argv.slice(2));
