import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Problem } from '../../config/config.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { configFromText } from '../../config/load.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { envFile, findPortClashes, type Instance, loadInstances, selectInstances } from '../supervisor/instances.ts';
import type { Prompter } from '../terminal/prompt.ts';
import { OWNER_ONLY, replaceFile } from './envFiles.ts';

const PERMISSIONS = 0o777;

/** Edits the env file of an instance by way of a copy, which takes its place only when an instance could start with it. */
export async function editInstance(context: Context, { names }: Invocation): Promise<ExitCode> {
  const { root, output, prompter } = context;
  const [name = ''] = names;
  if (name === 'all') throw new Failure('./manage edit takes one instance at a time', exitCodes.usage);
  const instances = loadInstances(root);
  const [instance] = selectInstances(root, instances, [name]);
  if (instance === undefined) return exitCodes.failed;
  if (prompter === undefined) {
    throw new Failure(`./manage edit needs a terminal; the file is ${envFile(instance)}`, exitCodes.usage);
  }

  // The copy holds the key: in a folder of this project that only its owner may enter, never in /tmp.
  mkdirSync(join(root, 'state'), { recursive: true });
  const folder = mkdtempSync(join(root, 'state', 'edit-'));
  const draft = join(folder, `${name}.env`);
  const file = realpathSync(envFile(instance));
  const before = readFileSync(file, 'utf8');
  writeFileSync(draft, before, { mode: OWNER_ONLY });
  let isNeeded = false;
  try {
    const text = await editUntilRight(context, instances, instance, prompter, draft);
    if (text === undefined || text === before) {
      output.say(`envs/${name}.env is left as it was.`);
      return text === undefined ? exitCodes.failed : exitCodes.ok;
    }
    if (readFileSync(file, 'utf8') !== before) {
      isNeeded = true;
      throw new Failure(
        `envs/${name}.env was changed meanwhile (by you or a program); your version is in ${draft}; compare, then edit again`,
      );
    }
    replaceFile(file, text, statSync(file).mode & PERMISSIONS);
    output.say(
      `Saved envs/${name}.env. A running instance takes it over within a second; ./manage status says how it went.`,
    );
    return exitCodes.ok;
  } finally {
    if (!isNeeded) rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens the copy again as long as it is wrong and the user wishes to repair it; undefined when the user gives up. */
async function editUntilRight(
  { root, output, environment }: Context,
  instances: readonly Instance[],
  { name }: Instance,
  prompter: Prompter,
  draft: string,
): Promise<string | undefined> {
  for (;;) {
    await openEditor(environment, draft);
    const text = readFileSync(draft, 'utf8');
    const problems = checkDraft(root, instances, name, text);
    if (problems.length > 0) output.complain(formatProblems(problems));
    if (problems.every(({ severity }) => severity === 'warning')) return text;
    if (!(await prompter.confirm('Edit it again? No throws your changes away.', 'yes'))) return undefined;
  }
}

/** What is wrong with a new text for the env file of one of the instances, beside the env files of the others. */
export function checkDraft(
  root: string,
  instances: readonly Instance[],
  name: string,
  text: string,
): readonly Problem[] {
  const file = `envs/${name}.env`;
  const own = instances.find((instance) => instance.name === name);
  const { config, problems } = configFromText(file, text, own?.app.env ?? {}, root);
  if (config === undefined) return problems;
  const others = instances.filter((instance) => instance.name !== name).flatMap((other) => other.config ?? []);
  // The line of the port stands in the draft; the file on the disk has the old one.
  const clashes = findPortClashes(root, [config, ...others]).filter(
    (problem) => resolve(root, problem.file) === own?.app.args[1],
  );
  return [...problems, ...clashes.map(({ line: _line, ...problem }) => problem)];
}

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
