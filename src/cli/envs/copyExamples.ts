import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPortHolder, readCommand } from '../../host/ports.ts';
import { executablePath } from '../buildStamp.ts';
import { queryPort } from '../supervisor/health.ts';
import { exampleNames, isCommandOf, loadInstances } from '../supervisor/instances.ts';
import type { Output } from '../terminal/output.ts';
import { envPath, freePort, isPortTaken, OWNER_ONLY, portIn, portsOf } from './envFiles.ts';

/**
 * Makes env files from the examples beside them, says so, and gives the names of the new instances: for `all` as long as nobody has
 * written one of his own, else for the named ones that have none. Never changes a file that exists. Where another program listens
 * on an example's port, the new file has a free one.
 */
export async function createEnvFiles(root: string, names: readonly string[], output: Output): Promise<string[]> {
  const isAll = names.includes('all') && hasOnlyCopies(join(root, 'envs'));
  const wanted = exampleNames(root).filter((name) => isAll || names.includes(name));
  const missing = wanted.filter((name) => !existsSync(join(root, envPath(name))));
  if (missing.length === 0) return missing;
  const used = portsOf(loadInstances(root));
  for (const name of missing) {
    const example = readFileSync(join(root, `${envPath(name)}.example`), 'utf8');
    const wish = portIn(example);
    const holder = wish === undefined ? undefined : await findOtherHolder(root, name, wish, used);
    const port = holder === undefined ? wish : await freePort(used);
    if (port !== undefined) used.add(port);
    const text = port === undefined ? example : withPort(example, port);
    writeFileSync(join(root, envPath(name)), text, { mode: OWNER_ONLY, flag: 'wx' });
    if (holder !== undefined) output.say(`Port ${wish} is taken by ${holder}, so that ${envPath(name)} has ${port}.`);
  }
  output.say(`Made ${missing.map(envPath).join(', ')} from the examples.`);
  return missing;
}

/** Who else has a port that an instance would like; undefined when it is free, or the instance itself listens there. */
async function findOtherHolder(
  root: string,
  name: string,
  port: number,
  used: ReadonlySet<number>,
): Promise<string | undefined> {
  if (used.has(port)) return 'another env file';
  if (!(await isPortTaken(port))) return undefined;
  const answer = await queryPort('127.0.0.1', port);
  const pid = answer.kind === 'instance' ? answer.health.pid : undefined;
  const own = { script: executablePath(root), args: ['--env', join(root, envPath(name))] } as const;
  if (pid !== undefined && isCommandOf(await readCommand(pid), own)) return undefined;
  const holder = await findPortHolder(port);
  return holder === undefined ? 'another program' : `pid ${holder.pid} (${holder.program})`;
}

/** The text of an example with another port, in its setting and in the address that its comment names. */
function withPort(text: string, port: number): string {
  const own = portIn(text);
  return text.replace(`PORT=${own}`, `PORT=${port}`).replaceAll(`127.0.0.1:${own}`, `127.0.0.1:${port}`);
}

/** Whether an env file is as its example, but perhaps for the port, so that nobody has written anything into it. */
export function isCopyOfExample(file: string): boolean {
  const example = `${file}.example`;
  if (!existsSync(file) || !existsSync(example)) return false;
  const text = readFileSync(file, 'utf8');
  const port = portIn(text);
  const original = readFileSync(example, 'utf8');
  return text === (port === undefined ? original : withPort(original, port));
}

/** Whether all env files are as their examples, so that they can have been made by a start of some of them. */
function hasOnlyCopies(directory: string): boolean {
  const files = readdirSync(directory).filter((file) => file.endsWith('.env'));
  return files.every((file) => isCopyOfExample(join(directory, file)));
}
