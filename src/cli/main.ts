import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { type Invocation, parseCommandLine } from './args.ts';
import { helpText } from './commands/help.ts';
import { type Context, leaveOutLocales } from './context.ts';
import { exitCodes, Failure } from './exitCodes.ts';
import { createPm2 } from './supervisor/pm2.ts';
import { createOutput } from './terminal/output.ts';
import { createPrompter } from './terminal/prompt.ts';

/** Gives the exit status: one of ours, or that of a program that ran in the foreground. */
type Command = (context: Context, invocation: Invocation) => Promise<number>;
/** Loaded on demand, so that help is quick, and from the cache, which halves the start of the others. */
const commands: Readonly<Record<Invocation['command'], () => Promise<Command>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  env: async () => (await import('./commands/env.ts')).env,
  use: async () => (await import('./commands/use.ts')).use,
  unuse: async () => (await import('./commands/use.ts')).unuse,
  statusline: async () => (await import('./commands/statusline.ts')).statusline,
  completion: async () => (await import('./commands/completion.ts')).completion,
  bundle: async () => (await import('./commands/bundle.ts')).bundle,
  service: async () => (await import('./commands/service.ts')).service,
  pm2: async () => (await import('./commands/pm2.ts')).pm2,
  version: async () => (await import('./commands/version.ts')).version,
  init: async () => (await import('./commands/init.ts')).init,
  start: async () => (await import('./commands/start.ts')).start,
  stop: async () => (await import('./commands/stop.ts')).stop,
  reload: async () => (await import('./commands/reload.ts')).reload,
  restart: async () => (await import('./commands/restart.ts')).restart,
  status: async () => (await import('./commands/status.ts')).status,
  logs: async () => (await import('./commands/logs.ts')).logs,
  top: async () => (await import('./commands/top.ts')).top,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  test: async () => (await import('./commands/test.ts')).test,
  usage: async () => (await import('./commands/usage.ts')).usage,
  list: async () => (await import('./commands/list.ts')).list,
  providers: async () => (await import('./commands/providers.ts')).providers,
  add: async () => (await import('./commands/add.ts')).add,
  edit: async () => (await import('./commands/edit.ts')).edit,
  remove: async () => (await import('./commands/remove.ts')).remove,
  import: async () => (await import('./commands/import.ts')).importSettings,
};

async function carryOut(root: string, invocation: Invocation): Promise<number> {
  const { quiet, colour } = invocation;
  const output = createOutput({ stdout: process.stdout, stderr: process.stderr, quiet, colour });
  try {
    enableCompileCache(join(root, 'state', 'compile-cache'));
    leaveOutLocales();
    const command = await commands[invocation.command]();
    const pm2 = createPm2({ root, environment: process.env });
    const prompter = createPrompter(process.stdin, process.stderr);
    return await command({ root, output, pm2, environment: process.env, prompter }, invocation);
  } catch (error) {
    output.complain(error instanceof Error ? error.message : String(error));
    return error instanceof Failure ? error.exitCode : exitCodes.failed;
  }
}

async function answer(root: string, words: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(words);
  switch (parsed.kind) {
    case 'usage':
      process.stderr.write(
        `${parsed.message}\nSee: ./manage ${parsed.topic === undefined ? '' : `${parsed.topic} `}--help\n`,
      );
      return exitCodes.usage;
    case 'help':
      process.stdout.write(`${helpText(parsed.topic)}\n`);
      return exitCodes.ok;
    case 'version':
      process.stdout.write(`${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`);
      return exitCodes.ok;
    case 'run':
      return carryOut(root, parsed.invocation);
  }
}

/** Runs the command of this process's arguments for the checkout in `root`, and sets the exit status. */
export function main(root: string): void {
  // The launcher's, for this process alone.
  delete process.env['NODE_COMPILE_CACHE'];
  // `./manage logs all | head` closes the pipe early, which is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    process.stderr.write(`the output cannot be written: ${error.message}\n`);
    process.exit(exitCodes.failed);
  });
  // Until the command is through; a bundle in one CommonJS file cannot await it here.
  process.exitCode = exitCodes.failed;
  answer(root, process.argv.slice(2)).then((exitCode) => {
    process.exitCode = exitCode;
  });
}
