import { asString, type JsonObject } from '../../../src/core/json.ts';
import type { Assignment } from './envLines.ts';
import { reasonToLeaveOut } from './leftOut.ts';
import { braceReferences } from './routerProvider.ts';

/** Fields that are read elsewhere, or need no counterpart. */
const KNOWN = new Set(['Providers', 'providers', 'Router', 'PORT', 'LOG', 'NON_INTERACTIVE_MODE', 'CLAUDE_PATH']);

/** What the other fields are called here. */
const NAMES: Readonly<Record<string, string>> = {
  HOST: 'HOST',
  APIKEY: 'ANTHROPIC_API_KEY',
  PROXY_URL: 'HTTPS_PROXY',
  API_TIMEOUT_MS: 'REQUEST_TIMEOUT',
  LOG_LEVEL: 'LOG_LEVEL',
};

const REASONS: Readonly<Record<string, string>> = {
  CUSTOM_ROUTER_PATH: 'routes are settings here (ROUTER_*), not scripts',
  transformers: 'plug-ins have no counterpart; quirks may do it (docs/ENVIRONMENT.md)',
};

/**
 * The fields of a config.json of claude-code-router that are settings of the instance, as lines of its env file.
 * @param tell Takes what could not be carried over of a field, by its name.
 */
export function readSettings(
  config: JsonObject,
  tell: (field: string, reason: string) => void,
): readonly (readonly [key: string, value: string])[] {
  const settings: (Assignment & { readonly field: string })[] = [];
  for (const [field, written] of Object.entries(config)) {
    const key = NAMES[field];
    if (key !== undefined) {
      const value = braceReferences(asString(written) ?? String(written ?? '')).trim();
      const isMilliseconds = field === 'API_TIMEOUT_MS';
      if (value !== '') settings.push({ key, value: isMilliseconds ? seconds(value) : value, line: 0, field });
    } else if (!KNOWN.has(field)) tell(field, REASONS[field] ?? 'means nothing here');
  }
  if (config['LOG'] === false)
    tell('LOG', 'one line without text per request is always kept; LOG_RETENTION_DAYS says how long');
  return settings.flatMap((setting) => {
    const reason = reasonToLeaveOut(setting, settings);
    if (reason === undefined) return [[setting.key, setting.value] as const];
    tell(setting.field, reason);
    return [];
  });
}

function seconds(milliseconds: string): string {
  return String(Math.max(1, Math.round(Number(milliseconds) / 1000)));
}
