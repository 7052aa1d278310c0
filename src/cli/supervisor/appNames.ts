import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instanceName } from '../../config/identity.ts';
import { asString, parseObject } from '../../core/json.ts';
import { executablePath } from '../buildStamp.ts';

/** The PM2 namespace of the apps in ecosystem.config.cjs; a checkout with a suffix has it behind this, too. */
const NAMESPACE = 'claude-code-proxy';

const ECOSYSTEM = 'ecosystem.config.cjs';

/** What shows whose an app of PM2 is. */
interface App {
  readonly name: string;
  readonly namespace: string;
  readonly executable: string;
  /** In which PM2 starts it; of an app of ours the checkout. */
  readonly directory: string;
}

/** Whether PM2 got an app from the ecosystem file of some checkout of this project. */
function isFromEcosystem({ namespace }: App): boolean {
  return namespace === NAMESPACE || namespace.startsWith(`${NAMESPACE}@`);
}

/** Whether an app is of the checkout in `root`: it runs the executable there, or PM2 got it from the ecosystem file there. */
export function isAppOf(row: App, root: string): boolean {
  return row.executable === executablePath(root) || (isFromEcosystem(row) && row.directory === root);
}

/**
 * Whether the checkout that an app is of is no longer where PM2 found it: moved while the app ran, or removed. Such an app serves on,
 * and whoever has an instance of its name may take it over.
 */
export function isAbandoned(row: App): boolean {
  return isFromEcosystem(row) && !existsSync(join(row.directory, ECOSYSTEM));
}

function stateFile(root: string): string {
  return join(root, 'state', 'pm2.json');
}

function readSuffix(root: string): string {
  const file = stateFile(root);
  return existsSync(file) ? (asString(parseObject(readFileSync(file, 'utf8'))?.['nameSuffix']) ?? '') : '';
}

/**
 * The names under which PM2 shall know these instances of the checkout in `root`: their own, and once another app of PM2 has one of
 * them, or its namespace, with a suffix. It is kept for ecosystem.config.cjs, which reads it.
 * @param rows all apps that PM2 has
 */
export function reserveAppNames(root: string, rows: readonly App[], instances: readonly string[]): string[] {
  const others = rows.filter((row) => !isAppOf(row, root) && !isAbandoned(row));
  const isTaken = (suffix: string) =>
    others.some(
      ({ name, namespace }) =>
        namespace === `${NAMESPACE}${suffix}` || instances.some((instance) => name === `${instance}${suffix}`),
    );
  const folder = instanceName(join(root, '.env')); // which is named after its folder
  let suffix = readSuffix(root);
  if (isTaken(suffix)) {
    suffix = `@${folder}`;
    for (let number = 2; isTaken(suffix); number += 1) suffix = `@${folder}-${number}`;
    mkdirSync(join(root, 'state'), { recursive: true });
    writeFileSync(stateFile(root), `${JSON.stringify({ nameSuffix: suffix })}\n`);
  }
  return instances.map((instance) => `${instance}${suffix}`);
}
