import type { SourceLocation } from './diagnostics.ts';
import type { SettingName, SettingValues } from './env/settings.ts';
import type { PostgresAddress } from './parsers.ts';
import type { FoundSecret } from './secrets.ts';

/** A server that telemetry goes to, for the rules that hold for every address. */
export interface TelemetryServer {
  readonly provider: { readonly baseUrl: string };
  readonly location: SourceLocation;
}

/** The database as a web address, without user and password: the rules for addresses are for such ones. */
function webAddress({ host, port }: PostgresAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The servers that usage is sent to. */
export function telemetryServers(
  { USAGE_POSTGRES_URL: database }: SettingValues,
  secrets: Partial<Record<SettingName, FoundSecret | undefined>>,
): readonly TelemetryServer[] {
  if (database === undefined) return [];
  const location = secrets.USAGE_POSTGRES_URL?.variable ?? { name: 'USAGE_POSTGRES_URL' };
  return [{ provider: { baseUrl: webAddress(database) }, location }];
}
