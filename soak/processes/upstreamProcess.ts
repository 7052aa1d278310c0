import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Starts the upstream and gives its port; it ends with this process, however that ends. */
export async function startUpstream(): Promise<{ readonly port: number; stop(): void }> {
  const child = fork(join(import.meta.dirname, '../upstream.ts'));
  const [port] = await once(child, 'message');
  return { port: Number(port), stop: () => child.disconnect() };
}
