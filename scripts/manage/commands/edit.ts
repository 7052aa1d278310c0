import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblems } from '../../../src/config/describe.ts';
import type { Invocation } from '../args.ts';
import type { Context } from '../context.ts';
import { checkDraft } from '../editing/checkDraft.ts';
import { openEditor } from '../editing/openEditor.ts';
import { replaceFile } from '../editing/replaceFile.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { envFile, type Instance, loadInstances, selectInstances } from '../instances.ts';
import type { Prompter } from '../prompter.ts';

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o777;

/** Edits the env file of an instance by way of a copy, which takes its place only when an instance could start with it. */
export async function edit(context: Context, { names }: Invocation): Promise<ExitCode> {
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
      throw new Failure(`envs/${name}.env was changed by somebody else meanwhile and is left so; yours is in ${draft}`);
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

/** Opens the copy again as long as it is wrong and the user wishes to mend it; undefined when the user gives up. */
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
