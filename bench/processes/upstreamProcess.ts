import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface UpstreamProcess {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the upstream; it also ends with this process, however that ends. */
export async function startUpstream(): Promise<UpstreamProcess> {
  const child = fork(join(import.meta.dirname, '../upstream.ts'));
  const [port] = await once(child, 'message');
  return {
    port: Number(port),
    stop: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
