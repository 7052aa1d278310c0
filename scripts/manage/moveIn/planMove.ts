import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { envPath, isInstanceName } from '../setUp/instanceNames.ts';
import { findValue, readAssignments } from './envLines.ts';
import { type Finding, type FoundEnvFile, SCRIPT } from './findings.ts';
import type { Move } from './move.ts';
import { moveEnvFile } from './moveEnvFile.ts';
import { moveRouter, routerPort } from './moveRouter.ts';
import { createPlan, type Plan, type Surroundings } from './plan.ts';

/** The env file to which a providers file beside it belongs. */
const MAIN = '.env';

/** What becomes of all that was found in a folder. Reads files, writes nothing. */
export async function planMove(finding: Finding, surroundings: Surroundings): Promise<Move> {
  const { folder, envFiles, providersFile, routerFile, lost } = finding;
  const plan = createPlan(folder, surroundings);
  for (const envFile of envFiles) await planEnvFile(plan, finding, envFile);
  const isTaken = envFiles.some(({ file }) => basename(file) === MAIN);
  if (providersFile !== undefined && !isTaken) await planProviders(plan, providersFile);
  if (routerFile !== undefined) await planRouter(plan, routerFile);
  for (const { envFile, line } of lost) {
    const source = plan.show(join(folder, SCRIPT));
    plan.tell({ source, line, setting: 'PROXIES', reason: `there is no ${envFile}` });
  }
  return plan.result();
}

async function planEnvFile(plan: Plan, finding: Finding, { file, name, entry }: FoundEnvFile): Promise<void> {
  const source = plan.show(file);
  if (!isInstanceName(name)) {
    plan.tell({ source, setting: 'name', reason: `"${name}" cannot be the name of an instance; rename the file` });
    return;
  }
  const text = readFileSync(file, 'utf8');
  const assignments = readAssignments(text);
  const written = Number(findValue(assignments, 'PORT', 'CLAUDE_PROXY_PORT')) || undefined;
  const line = assignments.findLast(({ key }) => key === 'PORT' || key === 'CLAUDE_PROXY_PORT')?.line;
  if (entry !== undefined && written !== undefined && entry.port !== written) {
    const reason = `${entry.port} is not the port in ${basename(file)}, which is ${written} and counts`;
    plan.tell({ source: plan.show(join(finding.folder, SCRIPT)), line: entry.line, setting: 'PROXIES', reason });
  }
  const named = findValue(assignments, 'MODELS_FILE', 'CUSTOM_MODELS_FILE');
  const modelsFile = named === undefined ? finding.modelsFile : resolve(dirname(file), named);
  const isLost = modelsFile !== undefined && !existsSync(modelsFile);
  if (isLost) plan.tell({ source, setting: 'MODELS_FILE', reason: `there is no ${named}` });
  plan.add(
    moveEnvFile({
      source,
      text,
      path: envPath(name),
      port: await plan.takePort(written ?? entry?.port, { source, line, setting: 'PORT' }),
      modelsFile: plan.takeFile(isLost ? undefined : modelsFile, 'models'),
      providersFile: basename(file) === MAIN ? plan.takeFile(finding.providersFile, 'providers') : undefined,
    }),
  );
}

/** A providers file without an env file makes an instance by itself. */
async function planProviders(plan: Plan, file: string): Promise<void> {
  const source = plan.show(file);
  const port = await plan.takePort(undefined, { source, setting: 'PORT' });
  const providersFile = plan.takeFile(file, 'providers');
  const text = `# Made from ${source}\n`;
  plan.add(moveEnvFile({ source, text, path: envPath(plan.label), port, modelsFile: undefined, providersFile }));
}

async function planRouter(plan: Plan, file: string): Promise<void> {
  const source = plan.show(file);
  const text = readFileSync(file, 'utf8');
  const port = await plan.takePort(routerPort(text), { source, setting: 'PORT' });
  const providersFile = `envs/${plan.label}.providers.json`;
  plan.add(moveRouter({ source, text, path: envPath(plan.label), providersFile, port }));
}
