import type { ProviderKey } from '../../config/config.ts';
import { formatProblems } from '../../config/diagnostics.ts';
import { terminalSafe } from '../../core/text.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { describeIgnoredEnvFiles, envFile, type Instance, isSound, loadInstances } from '../supervisor/instances.ts';
import type { Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** Lists the instances as their env files describe them, without asking PM2 or a port. */
export async function listInstances({ root, output }: Context, { json }: Invocation<'json'>): Promise<ExitCode> {
  const instances = loadInstances(root);
  if (json) output.print(listJson(instances));
  else if (instances.length > 0) output.print(renderTable(columnsOf(output), instances, output.columns).join('\n'));
  else output.say('There are no instances yet; make one with: ./manage init');
  for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
  const problems = instances.flatMap((instance) => instance.problems);
  if (problems.length > 0 && !json) output.say(formatProblems(problems));
  return exitCodes.ok;
}

/** The key for people, masked. */
export function describeKey({ source, secret }: ProviderKey): string {
  if (source === 'none') return 'not needed';
  return secret?.masked ?? 'the client’s';
}

function describeFile({ problems }: Instance): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const count = (number: number, noun: string) => (number === 0 ? [] : [`${number} ${noun}${number === 1 ? '' : 's'}`]);
  return [...count(errors, 'error'), ...count(problems.length - errors, 'warning')].join(', ') || 'ok';
}

function describeModels({ config }: Instance): string {
  if (config === undefined) return '-';
  const { big, middle, small } = config.tiers;
  return [...new Set([big, middle, small])].join(' / ');
}

function columnsOf({ paint }: Output): readonly Column<Instance>[] {
  const colourOf = (instance: Instance) => {
    if (!isSound(instance)) return 'red';
    return instance.problems.length > 0 ? 'yellow' : 'green';
  };
  return [
    { title: 'name', cell: ({ name }) => name, paint: (text) => paint('bold', text) },
    { title: 'provider', cell: ({ config }) => config?.provider.preset.name ?? '-' },
    { title: 'port', align: 'right', cell: ({ config }) => String(config?.port ?? '-') },
    { title: 'models', minimum: 16, cell: (instance) => terminalSafe(describeModels(instance)) },
    {
      title: 'key',
      cell: ({ config }) => (config === undefined ? '-' : terminalSafe(describeKey(config.provider.key))),
    },
    { title: 'env file', cell: describeFile, paint: (text, instance) => paint(colourOf(instance), text) },
  ];
}

function listJson(instances: readonly Instance[]): string {
  const entries = instances.map((instance) => {
    const { name, config, problems } = instance;
    return {
      name,
      env_file: envFile(instance),
      provider: config?.provider.preset.name ?? null,
      host: config?.host ?? null,
      port: config?.port ?? null,
      models: config?.tiers ?? null,
      key: config === undefined ? null : describeKey(config.provider.key),
      sound: isSound(instance),
      problems,
    };
  });
  return JSON.stringify({ schema: SCHEMA, instances: entries }, undefined, 2);
}
