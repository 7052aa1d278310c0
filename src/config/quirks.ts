import { parseObject } from '../core/json.ts';
import { nearestName } from '../core/text.ts';
import {
  environmentName,
  type QuirkSettings,
  type SettingName,
  type SettingRow,
  settingTable,
} from '../quirks/settings.ts';
import type { Place, Report } from './diagnostics.ts';
import type { Variables } from './env/variables.ts';
import { parseBoolean, parseCount } from './parsers.ts';

/** Every `QUIRK_<NAME>` and the setting it overrides. */
const settingOfName: ReadonlyMap<string, SettingName> = new Map(
  (Object.keys(settingTable) as SettingName[]).map((setting) => [environmentName(setting), setting]),
);

/** Whether `none` is the text for switching the setting off: where nothing else can say so. */
function takesNone(row: SettingRow): boolean {
  return row.kind === 'choice' ? row.values.includes('') : row.kind !== 'flag' && row.kind !== 'number';
}

/** What may be written for a setting; completes "Set ...". */
function quirkForm(row: SettingRow): string {
  const none = takesNone(row) ? ', or none' : '';
  switch (row.kind) {
    case 'choice':
      return `${row.values.filter((value) => value !== '').join(', ')}${none}`;
    case 'flag':
      return 'true or false';
    case 'number':
    case 'optionalNumber':
      return `a number from ${row.minimum} to ${row.maximum}${none}`;
    case 'list':
      return `words separated by commas${none}`;
    case 'json':
      return `a JSON object${none}`;
  }
}

/** The value of a setting; `wrong` when the text has not its form. */
function parseQuirk(row: SettingRow, text: string): { value: unknown } | 'wrong' {
  if (takesNone(row) && text.toLowerCase() === 'none') {
    if (row.kind === 'choice') return { value: '' };
    return { value: row.kind === 'list' ? [] : undefined };
  }
  const value = parseKind(row, text);
  return value === undefined ? 'wrong' : { value };
}

function parseKind(row: SettingRow, text: string): unknown {
  switch (row.kind) {
    case 'choice':
      return row.values.find((value) => value === text.toLowerCase());
    case 'flag':
      return parseBoolean(text);
    case 'number':
    case 'optionalNumber': {
      const value = parseCount(text);
      return value !== undefined && value >= row.minimum && value <= row.maximum ? value : undefined;
    }
    case 'list':
      return text.split(/[\s,]+/).filter((word) => word !== '');
    case 'json':
      return parseObject(text);
  }
}

/** One setting from its `QUIRK_<NAME>` and a text; undefined when nothing is overridden or something is wrong, which is told. */
export function readQuirk(
  name: string,
  text: string,
  place: Place,
  report: Report,
): Partial<QuirkSettings> | undefined {
  const setting = settingOfName.get(name);
  if (setting === undefined) {
    const nearest = nearestName(name, settingOfName.keys());
    report.error(
      place,
      'a quirk that does not exist',
      nearest === undefined ? 'See docs/ENVIRONMENT.md for their names.' : `Did you mean ${nearest}?`,
    );
    return undefined;
  }
  if (text === '') return undefined;
  const row = settingTable[setting];
  const parsed = parseQuirk(row, text);
  if (parsed !== 'wrong') return { [setting]: parsed.value } as Partial<QuirkSettings>;
  report.error(place, JSON.stringify(text), `Set ${quirkForm(row)}.`);
  return undefined;
}

/** The settings that QUIRK_* of the env file override (decision 0003). An empty value overrides nothing. */
export function readQuirks(variables: Variables, report: Report): Partial<QuirkSettings> {
  const overrides = [...variables.values()]
    .filter(({ key }) => key.startsWith('QUIRK_'))
    .map((variable) => readQuirk(variable.key, variable.value.trim(), variable, report));
  return Object.assign({}, ...overrides);
}

/** A setting as the documentation shows it. */
export interface QuirkKey {
  readonly name: string;
  readonly form: string;
  readonly fallback: string;
  readonly about: string;
}

function describeFallback(row: SettingRow): string {
  if (!('fallback' in row)) return '';
  return row.kind === 'list' ? row.fallback.join(',') : String(row.fallback);
}

/** Every QUIRK_* that there is. */
export const quirkKeys: readonly QuirkKey[] = [...settingOfName].map(([name, setting]) => {
  const row: SettingRow = settingTable[setting];
  return { name, form: quirkForm(row), fallback: describeFallback(row), about: row.about };
});
