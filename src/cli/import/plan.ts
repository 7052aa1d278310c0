import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { instanceName, type Problem } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import type { Secret } from '../../core/secret.ts';
import { createPrivateFile, envPath, freePort, isInstanceName, portIn } from '../envs/envFiles.ts';
import { importRouter, routerPort } from './claudeCodeRouter.ts';
import {
  findValue,
  type ImportPlan,
  importEnvFile,
  type PlannedFile,
  readAssignments,
  setLines,
  type UnsupportedSetting,
} from './envFile.ts';
import { type FolderContents, type FoundEnvFile, SCRIPT } from './scan.ts';

/** Where a plan is made, and which ports are given away; the set grows. */
export interface ImportScope {
  /** Where the user is. */
  readonly directory: string;
  readonly usedPorts: Set<number>;
}

/** The env file to which a providers file beside it belongs. */
const MAIN = '.env';

/** What becomes of all that was found in a folder. Reads files, writes nothing. */
export async function planImport(contents: FolderContents, scope: ImportScope): Promise<ImportPlan> {
  const { folder, envFiles, providersFile, routerFile, missing, ownFiles } = contents;
  const plan = createPlanBuilder(folder, scope);
  for (const file of ownFiles) await planOwnFile(plan, file);
  for (const envFile of envFiles) await planEnvFile(plan, contents, envFile);
  const isTaken = envFiles.some(({ file }) => basename(file) === MAIN);
  if (providersFile !== undefined && !isTaken) await planProviders(plan, providersFile);
  if (routerFile !== undefined) await planRouter(plan, routerFile);
  for (const { envFile, line } of missing) {
    const source = plan.displayPath(join(folder, SCRIPT));
    plan.report({ source, line, setting: 'PROXIES', reason: `there is no ${envFile}` });
  }
  return plan.result();
}

/** A file of this project's own stays as it is, but for a port that another instance has here. */
async function planOwnFile(plan: PlanBuilder, file: string): Promise<void> {
  const source = plan.displayPath(file);
  const path = `envs/${basename(file)}`;
  const text = readFileSync(file, 'utf8');
  const wanted = file.endsWith('.env') ? portIn(text) : undefined;
  const line = readAssignments(text).findLast(({ key }) => PORT_KEYS.includes(key))?.line;
  const port = wanted && (await plan.choosePort(wanted, { source, line, setting: 'PORT' }));
  const isKept = port === undefined || port === wanted;
  const changed = isKept ? text : setLines(text, [{ keys: PORT_KEYS, line: `PORT=${port}` }]);
  plan.add({ files: [{ path, source, text: changed }], unsupported: [] });
}

const PORT_KEYS = ['PORT', 'CLAUDE_PROXY_PORT'];

async function planEnvFile(
  plan: PlanBuilder,
  contents: FolderContents,
  { file, name, entry }: FoundEnvFile,
): Promise<void> {
  const source = plan.displayPath(file);
  if (!isInstanceName(name)) {
    plan.report({ source, setting: 'name', reason: `"${name}" cannot be the name of an instance; rename the file` });
    return;
  }
  const text = readFileSync(file, 'utf8');
  const assignments = readAssignments(text);
  const written = Number(findValue(assignments, 'PORT', 'CLAUDE_PROXY_PORT')) || undefined;
  const line = assignments.findLast(({ key }) => PORT_KEYS.includes(key))?.line;
  if (entry !== undefined && written !== undefined && entry.port !== written) {
    const reason = `${entry.port} is not the port in ${basename(file)}, which is ${written} and counts`;
    plan.report({
      source: plan.displayPath(join(contents.folder, SCRIPT)),
      line: entry.line,
      setting: 'PROXIES',
      reason,
    });
  }
  const named = findValue(assignments, 'MODELS_FILE', 'CUSTOM_MODELS_FILE');
  const modelsFile = named === undefined ? contents.modelsFile : resolve(dirname(file), named);
  const isMissing = modelsFile !== undefined && !existsSync(modelsFile);
  if (isMissing) plan.report({ source, setting: 'MODELS_FILE', reason: `there is no ${named}` });
  plan.add(
    importEnvFile({
      source,
      text,
      path: envPath(name),
      port: await plan.choosePort(written ?? entry?.port, { source, line, setting: 'PORT' }),
      modelsFile: plan.planCopy(isMissing ? undefined : modelsFile, 'models'),
      providersFile: basename(file) === MAIN ? plan.planCopy(contents.providersFile, 'providers') : undefined,
    }),
  );
}

/** A providers file without an env file makes an instance by itself. */
async function planProviders(plan: PlanBuilder, file: string): Promise<void> {
  const source = plan.displayPath(file);
  const port = await plan.choosePort(undefined, { source, setting: 'PORT' });
  const providersFile = plan.planCopy(file, 'providers');
  const text = `# Made from ${source}\n`;
  plan.add(importEnvFile({ source, text, path: envPath(plan.label), port, modelsFile: undefined, providersFile }));
}

async function planRouter(plan: PlanBuilder, file: string): Promise<void> {
  const source = plan.displayPath(file);
  const text = readFileSync(file, 'utf8');
  const port = await plan.choosePort(routerPort(text), { source, setting: 'PORT' });
  const providersFile = `envs/${plan.label}.providers.json`;
  plan.add(importRouter({ source, text, path: envPath(plan.label), providersFile, port }));
}

/** What is planned for one folder so far. */
export interface PlanBuilder {
  /** The name of the folder, for what belongs to all of it. */
  readonly label: string;
  /** A path as the user knows it. */
  displayPath(file: string): string;
  report(setting: UnsupportedSetting): void;
  add(part: ImportPlan): void;
  /** The wanted port unless another instance has it, which is reported for that place. */
  choosePort(wanted: number | undefined, place: Omit<UnsupportedSetting, 'reason'>): Promise<number>;
  /** Plans a copy of a models or providers file, once, and gives its path; undefined where there is none. */
  planCopy(file: string | undefined, kind: 'models' | 'providers'): string | undefined;
  result(): ImportPlan;
}

export function createPlanBuilder(folder: string, { directory, usedPorts }: ImportScope): PlanBuilder {
  const files: PlannedFile[] = [];
  const unsupported: UnsupportedSetting[] = [];
  const label = instanceName(join(folder, '.env'));
  const displayPath = (file: string) => relative(directory, file) || file;
  return {
    label,
    displayPath,
    report: (setting) => void unsupported.push(setting),
    add: (part) => {
      files.push(...part.files);
      unsupported.push(...part.unsupported);
    },
    choosePort: async (wanted, place) => {
      const isTaken = wanted === undefined || usedPorts.has(wanted);
      const port = isTaken ? await freePort(usedPorts) : wanted;
      usedPorts.add(port);
      if (wanted !== undefined && isTaken)
        unsupported.push({ ...place, reason: `${wanted} is the port of another instance; this one has ${port}` });
      return port;
    },
    planCopy: (file, kind) => {
      if (file === undefined) return undefined;
      const path = `envs/${label}.${kind}${extname(file)}`;
      if (!files.some((planned) => planned.path === path))
        files.push({ path, source: displayPath(file), text: readFileSync(file, 'utf8') });
      return path;
    },
    result: () => ({ files, unsupported }),
  };
}

/** What is wrong in the planned files, and the secrets that they hold. */
export interface ImportCheck {
  readonly problems: readonly Problem[];
  readonly secrets: readonly Secret[];
}

/** Loads the planned instances from a copy of their files that only the owner may read, and removes it again. */
export function checkImport(root: string, files: readonly PlannedFile[]): ImportCheck {
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
