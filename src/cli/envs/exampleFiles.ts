import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SettingName, settingRow } from '../../config/env/settings.ts';
import { wrapText } from '../../core/text.ts';
import { findPortHolder, readCommand } from '../../host/ports.ts';
import { executablePath } from '../../host/workers.ts';
import { findSibling } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import { queryPort } from '../supervisor/health.ts';
import { exampleNames, isCommandOf, loadInstances } from '../supervisor/instances.ts';
import type { Output } from '../terminal/output.ts';
import { envPath, freePort, isPortTaken, OWNER_ONLY, portIn, portsOf } from './envFiles.ts';

const WIDTH = 120;
/** Where the words behind a setting begin. */
const WORDS_AT = 38;

/** The text as comment lines of a readable width. */
function comment(text: string): string {
  return wrapText(text, WIDTH)
    .map((line) => `# ${line}`)
    .join('\n');
}

/** The name under which a provider's key stands in its env file: the provider's own for it, where it has one. */
export function keyNameOf({ keyNames }: Preset): string {
  return keyNames[0] ?? 'OPENAI_API_KEY';
}

/** Whether the provider takes a key. */
export function takesKey({ protocol }: Preset): boolean {
  return protocol !== 'demo';
}

interface Setting {
  readonly key: SettingName;
  /** What holds while the line is a comment; empty for nothing. */
  readonly fallback: string;
  readonly words: string;
}

/** The settings that people change, as far as they mean anything for the provider. */
function commonSettings(preset: Preset): readonly Setting[] {
  const { tiers, regions, protocol, baseUrl } = preset;
  const hasBothProtocols = findSibling(preset, 'anthropic') !== undefined;
  const known = Object.keys(regions ?? {}).join(', ');
  const all: readonly (Setting | false)[] = [
    hasBothProtocols && { key: 'PROTOCOL', fallback: protocol, words: 'anthropic: its own Messages API, untranslated' },
    known !== '' && { key: 'REGION', fallback: '', words: `another address of the provider: ${known}` },
    takesKey(preset) && { key: 'OPENAI_BASE_URL', fallback: baseUrl, words: 'address of its API' },
    { key: 'BIG_MODEL', fallback: tiers?.big ?? '', words: 'opus' },
    { key: 'MIDDLE_MODEL', fallback: tiers?.middle ?? '', words: 'sonnet' },
    { key: 'SMALL_MODEL', fallback: tiers?.small ?? '', words: 'haiku' },
    { key: 'ANTHROPIC_API_KEY', fallback: '', words: 'a token that Claude Code then has to send' },
    {
      key: 'MAX_CONCURRENT',
      fallback: settingRow('MAX_CONCURRENT').fallback ?? '',
      words: 'requests at the same time; 0: no limit',
    },
    { key: 'LOG_LEVEL', fallback: settingRow('LOG_LEVEL').fallback ?? '', words: settingRow('LOG_LEVEL').form.form },
  ];
  return all.filter((setting) => setting !== false);
}

function settingLine({ key, fallback, words }: Setting): string {
  const line = `#${key}=${fallback}`;
  return `${line.padEnd(WORDS_AT)} # ${words}`;
}

export interface EnvFileParts {
  readonly preset: Preset;
  readonly port: number;
  /** What to do with the file. */
  readonly usage: string;
  /** Settings that were chosen, by their names, as lines. */
  readonly chosen: Readonly<Record<string, string>>;
  readonly keyLine: string;
}

/** The text of an env file: what is set, then the settings that people change, as comments that show what holds without them. */
export function envFileText({ preset, port, usage, chosen, keyLine }: EnvFileParts): string {
  const { name, title, notes = [], links } = preset;
  const source = links.keys === undefined ? '' : `, from ${links.keys}`;
  const key = [comment(`Your key${source}. Left empty, the token that Claude Code sends is the key.`), keyLine, ''];
  return `${[
    comment(`${title} for Claude Code, on http://127.0.0.1:${port}`),
    comment(usage),
    ...notes.map(comment),
    '',
    `PROVIDER=${name}`,
    `PORT=${port}`,
    ...Object.values(chosen),
    '',
    ...(takesKey(preset) ? key : []),
    comment('Take away the # in front of what you change. All settings: docs/ENVIRONMENT.md'),
    ...commonSettings(preset)
      .filter((setting) => chosen[setting.key] === undefined)
      .map(settingLine),
  ].join('\n')}\n`;
}

/**
 * envs/<name>.env.example: what a newcomer needs, in a file that works as it is.
 * @param port of the preset
 */
export function exampleFile(preset: Preset, port: number): string {
  const { name } = preset;
  const usage = `./manage start makes envs/${name}.env of this example. Edit it: ./manage edit ${name}. Use it: ./manage run ${name}`;
  return envFileText({ preset, port, usage, chosen: {}, keyLine: `${keyNameOf(preset)}=` });
}

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
