import { readFileSync } from 'node:fs';
import { Secret } from '../../../src/core/secret.ts';
import { envFile, type Instance } from '../instances.ts';

const SECRET_LINE = /^\s*(?:export\s+)?[\w-]*(?:KEY|TOKEN|SECRET|PASSWORD|AUTH|HEADER)[\w-]*\s*[=:]\s*(?<value>.+)$/gim;

/** Everything of an instance that must not be told; of a file that is wrong, the values of all lines that may hold such. */
export function secretsOf(instance: Instance): readonly Secret[] {
  if (instance.config !== undefined) return instance.config.secrets;
  try {
    const lines = readFileSync(envFile(instance), 'utf8').matchAll(SECRET_LINE);
    return [...lines].flatMap(({ groups }) => {
      const written = (groups?.['value'] ?? '').trim();
      return [written, written.replace(/^(["'`])(.*)\1.*$/, '$2'), written.replace(/\s+#.*$/, '')].map(
        (value) => new Secret(value),
      );
    });
  } catch {
    return [];
  }
}
