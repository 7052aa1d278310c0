import { get } from 'node:http';
import { type Config, clientAddress, reachableHost } from './config/config.ts';
import { parseObject } from './core/json.ts';

/** Whoever watches an instance asks every few seconds, and counts a later answer as none. */
const TIMEOUT_MS = 3000;
/** A health report has a few thousand bytes. */
const MAX_BYTES = 1_000_000;

/**
 * Asks an instance on its port, from another process, whether it serves: what the health check of a container or a service runs.
 * Resolves with the reason why it does not; undefined when it does.
 * @param instance its name
 */
export function probeHealth(
  instance: string,
  { host, port }: Pick<Config, 'host' | 'port'>,
): Promise<string | undefined> {
  const address = clientAddress({ host, port });
  return new Promise((resolve) => {
    const request = get({ host: reachableHost(host), port, path: '/health', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > MAX_BYTES) finish(`${address} is not answered by claude-code-proxy`);
      });
      response.on('end', () => {
        const report = parseObject(text);
        if (report?.['service'] !== 'claude-code-proxy') finish(`${address} is not answered by claude-code-proxy`);
        else if (report['instance'] !== instance)
          finish(`${address} is answered by another instance: ${JSON.stringify(report['instance'])}`);
        else finish(report['state'] === 'serving' ? undefined : `${instance} on ${address} is about to stop`);
      });
    });
    const finish = (reason: string | undefined) => {
      clearTimeout(deadline);
      request.destroy();
      resolve(reason);
    };
    const deadline = setTimeout(() => finish(`${address} does not answer within ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
    request.on('error', (error) => finish(`nothing serves on ${address}: ${error.message}`));
  });
}
