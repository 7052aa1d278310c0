import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import type { Problem } from '../../config/config.ts';
import { instanceName } from '../../config/identity.ts';
import { loadConfig } from '../../config/load.ts';
import type { Secret } from '../../core/secret.ts';
import { createPrivateFile, envPath, freePort, isInstanceName } from '../envs/files.ts';
import { moveRouter, routerPort } from './claudeCodeRouter.ts';
import { findValue, type Move, moveEnvFile, type PlannedFile, type Remark, readAssignments } from './envFile.ts';
import { type Finding, type FoundEnvFile, SCRIPT } from './scan.ts';

/** Where a plan is made, and which ports are given away; the set grows. */
export interface Surroundings {
  /** Where the user is. */
  readonly directory: string;
  readonly usedPorts: Set<number>;
}

/** What is planned for one folder so far. */
export interface Plan {
  /** The name of the folder, for what belongs to all of it. */
  readonly label: string;
  /** A path as the user knows it. */
  show(file: string): string;
  tell(remark: Remark): void;
  add(move: Move): void;
  /** The wanted port unless another instance has it, which is told as a remark on that place. */
  takePort(wanted: number | undefined, place: Omit<Remark, 'reason'>): Promise<number>;
  /** Plans a copy of a models or providers file, once, and gives its path; undefined where there is none. */
  takeFile(file: string | undefined, kind: 'models' | 'providers'): string | undefined;
  result(): Move;
}

export function createPlan(folder: string, { directory, usedPorts }: Surroundings): Plan {
  const files: PlannedFile[] = [];
  const remarks: Remark[] = [];
  const label = instanceName(join(folder, '.env'));
  const show = (file: string) => relative(directory, file) || file;
  return {
    label,
    show,
    tell: (remark) => void remarks.push(remark),
    add: (move) => {
      files.push(...move.files);
      remarks.push(...move.remarks);
    },
    takePort: async (wanted, place) => {
      const isTaken = wanted === undefined || usedPorts.has(wanted);
      const port = isTaken ? await freePort(usedPorts) : wanted;
      usedPorts.add(port);
      if (wanted !== undefined && isTaken)
        remarks.push({ ...place, reason: `${wanted} is the port of another instance; this one has ${port}` });
      return port;
    },
    takeFile: (file, kind) => {
      if (file === undefined) return undefined;
      const path = `envs/${label}.${kind}${extname(file)}`;
      if (!files.some((planned) => planned.path === path))
        files.push({ path, source: show(file), text: readFileSync(file, 'utf8') });
      return path;
    },
    result: () => ({ files, remarks }),
  };
}

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

/** What the instances would say of their files. */
export interface Check {
  readonly problems: readonly Problem[];
  readonly secrets: readonly Secret[];
}

/** Loads the planned instances from a copy of their files that only the owner may read, and removes it again. */
export function checkMove(root: string, files: readonly PlannedFile[]): Check {
  mkdirSync(join(root, 'state'), { recursive: true });
  const folder = mkdtempSync(join(root, 'state', 'import-'));
  try {
    for (const { path, text } of files) createPrivateFile(join(folder, path), path, text);
    const results = files.filter(({ path }) => path.endsWith('.env')).map(({ path }) => loadConfig(path, {}, folder));
    return {
      problems: results.flatMap(({ problems }) => problems),
      secrets: results.flatMap(({ config }) => config?.secrets ?? []),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
