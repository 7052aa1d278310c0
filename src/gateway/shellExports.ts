import { clientEnvironment, forwardsCredentials } from '../config/clientEnvironment.ts';
import type { Config } from '../config/config.ts';

/** The client's variables as lines for a POSIX shell, for `eval "$(curl -s http://127.0.0.1:8081/env)"` (R513). */
export function shellExports(config: Config): string {
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  const lines = Object.entries(clientEnvironment(config)).map(([name, value]) => `export ${name}=${quote(value)}`);
  // A token is never served; the caller's own stays, and where none is needed any word will do.
  if (!forwardsCredentials(config)) lines.push('export ANTHROPIC_AUTH_TOKEN="$' + '{ANTHROPIC_AUTH_TOKEN:-unused}"');
  return `${lines.join('\n')}\n`;
}
