import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { presets } from '../../../src/providers/index.ts';
import type { Preset } from '../../../src/providers/preset.ts';
import { Failure } from '../exitCodes.ts';
import { envFile, type Instance } from '../instances.ts';

const PORT_LINE = /^\s*(?:export\s+)?(?:CLAUDE_PROXY_)?PORT\s*[=:]\s*["'`]?(\d+)/gm;
const LAST_PORT = 65_535;

/** The port that the text of an env file names; undefined when it names none. */
export function portIn(text: string): number | undefined {
  const port = [...text.matchAll(PORT_LINE)].at(-1)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The ports of the env files, also of those that are wrong. */
export function portsOf(instances: readonly Instance[]): Set<number> {
  const ports = instances.map((instance) => instance.config?.port ?? portIn(readFileSync(envFile(instance), 'utf8')));
  return new Set(ports.filter((port) => port !== undefined));
}

/** Whether somebody listens there now. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/** A port that no env file names and where nobody listens: the preset's own, else the first behind those of all presets. */
export async function freePort(used: ReadonlySet<number>, preset?: Preset): Promise<number> {
  const reserved = presets.flatMap(({ port }) => port ?? []);
  const isFree = async (port: number) => !used.has(port) && !(await isPortTaken(port));
  if (preset?.port !== undefined && (await isFree(preset.port))) return preset.port;
  for (let port = Math.max(...reserved) + 1; port <= LAST_PORT; port += 1) if (await isFree(port)) return port;
  throw new Failure('there is no free port on this machine');
}
