import { type Config, clientBaseUrl, type ProviderKey } from '../../config/config.ts';
import { forInstance } from '../../core/errors.ts';
import { createRedactor, Secret } from '../../core/secret.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure, worstOf } from '../exitCodes.ts';
import { type Inspection, inspect } from '../supervisor/inspect.ts';
import { isSound, loadInstances, reportProblems, selectInstances } from '../supervisor/instances.ts';
import { deriveState, diagnosisLine, hasOlderSettings, isUp } from '../supervisor/state.ts';
import { readSecretFromStdin } from '../terminal/prompt.ts';
import { describeEstimate, testProvider } from './testProvider.ts';
import { isSuccess, type ProviderTestReport, testJson, testText } from './testView.ts';

/**
 * Proves that the provider of each named instance does what Claude Code needs, through the instance that runs.
 * @param onReport gets what was found out about each
 */
export async function testInstances(
  context: Context,
  invocation: Invocation<'full' | 'timeoutMs' | 'keyStdin' | 'json' | 'yes' | 'input'>,
  onReport: (report: ProviderTestReport) => void = () => {},
): Promise<ExitCode> {
  const { root, output, pm2 } = context;
  const { names, json, keyStdin } = invocation;
  const selected = selectInstances(root, loadInstances(root), names);
  if (keyStdin && selected.length !== 1) throw new Failure('--key-stdin takes one instance', exitCodes.usage);
  const codes: ExitCode[] = [reportProblems(context, selected)];
  const key = keyStdin ? new Secret(await readSecretFromStdin(process.stdin)) : undefined;

  const reports: ProviderTestReport[] = [];
  for (const inspection of await inspect(await pm2.list(), selected.filter(isSound))) {
    const { config, name } = inspection.instance;
    if (config === undefined) continue;
    const obstacle = (await describeState(inspection)) ?? describeKey(name, config, key);
    if (obstacle !== undefined) {
      output.complain(obstacle);
      codes.push(exitCodes.failed);
      continue;
    }
    if (invocation.full && !(await isWanted(context, invocation, config))) {
      output.say(`${name} is not tested.`);
      codes.push(exitCodes.failed);
      continue;
    }
    const report = await testInstance(context, invocation, config, key);
    reports.push(report);
    onReport(report);
    codes.push(isSuccess(report.rows) ? exitCodes.ok : exitCodes.failed);
    if (!json) output.show(testText(report, output));
  }
  if (json) output.print(testJson(reports));
  return worstOf(codes);
}

/** Whether the user wants to spend what `--full` may cost; what costs nothing needs no question. */
async function isWanted(
  { output, prompter }: Context,
  { yes, input }: Invocation<'yes' | 'input'>,
  config: Config,
): Promise<boolean> {
  const estimate = describeEstimate(config, Date.now());
  if (estimate === undefined) return true;
  output.say(`${config.instance}: ${estimate}`);
  if (yes) return true;
  if (prompter === undefined || !input) {
    throw new Failure(
      `there is no terminal to ask on; to do it without: ./manage test ${config.instance} --full --yes`,
      exitCodes.usage,
    );
  }
  return prompter.confirm('Go on?');
}

/** Why the instance cannot be asked as it is. */
async function describeState(inspection: Inspection): Promise<string | undefined> {
  const { name } = inspection.instance;
  const state = deriveState(inspection);
  if (hasOlderSettings(inspection)) return diagnosisLine(inspection, state);
  if (isUp(state)) return undefined;
  return (
    (await diagnosisLine(inspection, state)) ?? `${name} is ${state}; a test goes through it: ./manage start ${name}`
  );
}

/** The key for the model of the big tier, to which most checks go. */
function keyOf(config: Config): ProviderKey {
  return config.modelRefs.of(config.tiers.big).provider.key;
}

/** Why there is no key to test with, or one too many. */
function describeKey(name: string, config: Config, key: Secret | undefined): string | undefined {
  const { source, variable } = keyOf(config);
  if (source === 'client' && key === undefined) {
    return `${name}: envs/${name}.env holds no key to test with; put ${variable} there, or give one: ./manage test ${name} --key-stdin < FILE`;
  }
  if (source !== 'client' && key !== undefined) {
    return `${name}: uses ${source === 'none' ? 'no key' : `its own ${variable}`}, so that another cannot be tested`;
  }
  return undefined;
}

function describeAccepted({ source, variable }: ProviderKey): string {
  if (source === 'none') return 'none needed';
  return source === 'client' ? 'the one from stdin is accepted' : `${variable} is accepted`;
}

async function testInstance(
  { output }: Context,
  { full, timeoutMs }: Invocation<'full' | 'timeoutMs'>,
  config: Config,
  key: Secret | undefined,
): Promise<ProviderTestReport> {
  const { instance: name, provider, clientToken, secrets } = config;
  output.say(`Testing ${name} (${provider.preset.title}) through ${clientBaseUrl(config)}`);
  const credentials = {
    ...(clientToken === undefined ? {} : { 'x-api-key': clientToken.reveal() }),
    ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
  };
  const result = await testProvider({
    config,
    client: { baseUrl: clientBaseUrl(config), credentials, timeoutMs },
    full,
    key: describeAccepted(keyOf(config)),
    onCheck: (check) => output.say(`  ${check} ...`),
  });
  const redact = createRedactor([...secrets, ...(key === undefined ? [] : [key])]);
  const rows = result.rows.map((row) => ({
    ...row,
    detail: redact(row.detail),
    suggestions: forInstance(row.suggestions, name),
  }));
  return { ...result, rows, name, provider: provider.preset.name };
}
