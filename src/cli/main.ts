import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { parseCommandLine } from './args.ts';
import type { Command, Invocation } from './command.ts';
import { commandTable } from './commandTable.ts';
import { exitCodes, Failure } from './exitCodes.ts';
import { type OptionName, readOptions } from './options.ts';
import { createPm2 } from './supervisor/pm2.ts';
import { createOutput, nameProgram, programWord } from './terminal/output.ts';
import type { Prompter } from './terminal/prompt.ts';

/** Runs the command of this process's arguments for the checkout, or npm's package, in `folder`, and sets the exit status. */
export function main(folder: string): void {
  const calledAs = process.env['MANAGE_CALLED_AS'];
  // The launcher's, for this process alone.
  delete process.env['NODE_COMPILE_CACHE'];
  delete process.env['MANAGE_CALLED_AS'];
  // `./manage logs all | head` closes the pipe early, which is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
    process.stderr.write(`the output cannot be written: ${error.message}\n`);
    process.exit(exitCodes.failed);
  });
  // Until the command is through; a bundle in one CommonJS file cannot await it here.
  process.exitCode = exitCodes.failed;
  findProgram(folder, calledAs)
    .then((program) => respond(program, process.argv.slice(2)))
    .then((exitCode) => {
      process.exitCode = exitCode;
    });
}

/** Where this program is, and how it was called. */
interface Program {
  /** Of the checkout, or of npm's package. */
  readonly folder: string;
  readonly name: string;
  /** What differs where npm has installed it. */
  readonly installed: typeof import('./installation.ts') | undefined;
}

async function findProgram(folder: string, calledAs: string | undefined): Promise<Program> {
  if (!existsSync(join(folder, 'bin', 'claude-code-proxy.cjs')))
    return { folder, name: programWord(calledAs), installed: undefined };
  const installed = await import('./installation.ts');
  const name = calledAs ?? installed.installedCommand(process.argv[1] ?? '', process.env);
  // For what is started, whose messages name commands, too.
  process.env['MANAGER_COMMAND'] = name;
  return { folder, name, installed };
}

async function respond(program: Program, words: readonly string[]): Promise<number> {
  const { folder, name } = program;
  const parsed = await parseCommandLine(words);
  switch (parsed.kind) {
    case 'usage':
      process.stderr.write(
        `${nameProgram(parsed.message, name)}\nSee: ${name} ${parsed.topic === undefined ? '' : `${parsed.topic} `}--help\n`,
      );
      return exitCodes.usage;
    case 'help': {
      const names = parsed.topic === undefined ? [] : [parsed.topic];
      return run(program, await commandTable.help(), { command: 'help', names, rest: [], ...readOptions({}, []) });
    }
    case 'version':
      process.stdout.write(`${JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version}\n`);
      return exitCodes.ok;
    case 'run':
      return run(program, parsed.command, parsed.invocation);
  }
}

async function run(
  { folder, name, installed }: Program,
  command: Command,
  invocation: Invocation<OptionName>,
): Promise<number> {
  const { quiet, colour } = invocation;
  const output = createOutput({
    stdout: process.stdout,
    stderr: process.stderr,
    quiet,
    colour,
    program: name,
    term: process.env['TERM'],
    ...(installed === undefined ? {} : { rename: installed.describeAsInstalled(folder, process.env) }),
  });
  let root = folder;
  try {
    if (installed !== undefined && invocation.command !== 'help') root = installed.enterHome(folder, process.env);
    // Help of an installed one has no home, and nothing may be written beside it; nor may root take code from what a service writes.
    const keepsCode = installed === undefined || (root !== folder && installed.systemFolders(folder) === undefined);
    if (keepsCode) nodeModule.enableCompileCache(join(root, 'state', 'compile-cache'));
    skipLocales();
    const { env: environment } = process;
    const pm2 = createPm2({ root, environment });
    const prompter = await openPrompter();
    return await command.run({ root, output, pm2, environment, prompter, commands: commandTable }, invocation);
  } catch (error) {
    const { explainRefusal } = await import('./fileAccess.ts');
    output.complain(explainRefusal(error, root) ?? (error instanceof Error ? error.message : String(error)));
    return error instanceof Failure ? error.exitCode : exitCodes.failed;
  }
}

/** Loaded only where there is a terminal to ask on. */
async function openPrompter(): Promise<Prompter | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { createPrompter } = await import('./terminal/prompt.ts');
  return createPrompter(process.stdin, process.stderr);
}

const EMPTY_MODULE = 'data:text/javascript,';
const LOCALES = '../locales/index.js';

/**
 * From now on zod is loaded without its error texts in 60 languages, none of which we show: a quarter of all files that a command
 * has to read, and of its time (measured). Where zod has them elsewhere, they are loaded as before.
 */
export function skipLocales(): void {
  // Node has it from 22.15 on; the manager in one file, which other versions run too, has no such module to load.
  nodeModule.registerHooks?.({
    resolve: (specifier, context, next) =>
      specifier === LOCALES && context.parentURL?.includes('/node_modules/zod/')
        ? { url: EMPTY_MODULE, shortCircuit: true }
        : next(specifier, context),
  });
}
