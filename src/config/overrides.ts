import { isObject, type Json, type JsonObject, parseObject } from '../core/json.ts';
import { nearestName } from '../core/text.ts';
import { environmentName, type QuirkName, type QuirkRow, type QuirkSettings, quirkTable } from '../quirks/settings.ts';
import { type Diagnostics, type SourceLocation, showValue } from './diagnostics.ts';
import type { Variables } from './env/variables.ts';
import { parseBoolean, parseCount } from './parsers.ts';

/** `CUSTOM_HEADER_X_API_KEY` -> `x-api-key`. Names are lower case, so that each replaces a header of the same name. */
export function readCustomHeaders(variables: Variables, diagnostics: Diagnostics): Readonly<Record<string, string>> {
  const headers: [string, string][] = [];
  for (const variable of variables.values()) {
    if (!variable.name.startsWith(PREFIX)) continue;
    const name = variable.name.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
    const value = variable.value.trim();
    const fault = headerFault(name, value);
    if (fault !== undefined) diagnostics.error(variable, fault.found, fault.fix);
    else if (value !== '') headers.push([name, value]);
  }
  return Object.fromEntries(headers);
}

/** The settings that QUIRK_* of the env file override (decision 0003). An empty value overrides nothing. */
export function readQuirks(variables: Variables, diagnostics: Diagnostics): Partial<QuirkSettings> {
  const overrides = [...variables.values()]
    .filter(({ name }) => name.startsWith('QUIRK_'))
    .map((variable) => readQuirk(variable.name, variable.value.trim(), variable, diagnostics));
  return Object.assign({}, ...overrides);
}

/** Headers as a file has them: lower-case names, and none that is empty. */
export function readHeaderMapping(
  headers: JsonObject | undefined,
  locationOf: (name: string) => SourceLocation,
  diagnostics: Diagnostics,
): Readonly<Record<string, string>> {
  const read: [string, string][] = [];
  for (const [written, value] of Object.entries(headers ?? {})) {
    const name = written.toLowerCase();
    const text = String(value ?? '').trim();
    const fault = headerFault(name, text);
    if (fault !== undefined) diagnostics.error(locationOf(written), fault.found, fault.fix);
    else if (text !== '') read.push([name, text]);
  }
  return Object.fromEntries(read);
}

/** Settings as a file has them, under the names of QUIRK_* without that prefix. */
export function readQuirkMapping(
  quirks: JsonObject | undefined,
  locationOf: (name: string) => SourceLocation,
  diagnostics: Diagnostics,
): Partial<QuirkSettings> {
  const settings = Object.entries(quirks ?? {}).map(([name, value]) => {
    const text = isObject(value) ? JSON.stringify(value) : String(value ?? '').trim();
    return readQuirk(`QUIRK_${name.toUpperCase()}`, text, locationOf(name), diagnostics);
  });
  return Object.assign({}, ...settings);
}

const PREFIX = 'CUSTOM_HEADER_';

/** RFC 9110: a token. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/** RFC 9110: printable Latin-1 with blanks and tabs inside. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers that describe the connection or the body, which are the HTTP client's own. */
const RESERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Why a header cannot be sent; undefined when it can. The name is in lower case. */
function headerFault(name: string, value: string): { readonly found: string; readonly fix: string } | undefined {
  if (!HEADER_NAME.test(name))
    return { found: 'a name that gives no header', fix: 'Write letters, digits and dashes, as in x-title.' };
  if (RESERVED.has(name))
    return { found: `the header ${name}, which belongs to the connection`, fix: 'Remove the line.' };
  if (!HEADER_VALUE.test(value))
    return {
      found: 'a value with a line break or with letters beyond Latin-1',
      fix: 'Write one line of Latin-1 text.',
    };
  return undefined;
}

const CREDENTIAL_NAME = /auth|key|token|secret|cookie|passw/i;

/** Values of headers that carry credentials, for redaction: whole, and without a scheme like `Bearer`. */
export function secretsInHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => CREDENTIAL_NAME.test(name))
    .flatMap(([, value]) => [value, ...value.split(/\s+/).slice(1)]);
}

/** Texts of fields that carry credentials by their names, at any depth, for redaction. */
export function secretsInFields(fields: Json | undefined): readonly string[] {
  if (Array.isArray(fields)) return fields.flatMap(secretsInFields);
  if (!isObject(fields)) return [];
  return Object.entries(fields).flatMap(([name, value]) =>
    typeof value === 'string' && CREDENTIAL_NAME.test(name) ? [value] : secretsInFields(value),
  );
}

/** Every `QUIRK_<NAME>` and the setting it overrides. */
const settingOfName: ReadonlyMap<string, QuirkName> = new Map(
  (Object.keys(quirkTable) as QuirkName[]).map((setting) => [environmentName(setting), setting]),
);

/** Whether `none` is the text for switching the setting off: where nothing else can say so. */
function takesNone(row: QuirkRow): boolean {
  return row.kind === 'choice' ? row.values.includes('') : row.kind !== 'flag' && row.kind !== 'number';
}

/** What may be written for a setting; completes "Set ...". */
function quirkForm(row: QuirkRow): string {
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

/** The value of a setting; `wrong` when the text does not have its form. */
function parseQuirk(row: QuirkRow, text: string): { value: unknown } | 'wrong' {
  if (takesNone(row) && text.toLowerCase() === 'none') {
    if (row.kind === 'choice') return { value: '' };
    return { value: row.kind === 'list' ? [] : undefined };
  }
  const value = parseKind(row, text);
  return value === undefined ? 'wrong' : { value };
}

function parseKind(row: QuirkRow, text: string): unknown {
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

/** One setting from its `QUIRK_<NAME>` and a text; undefined when nothing is overridden, or when something is wrong, which is reported. */
export function readQuirk(
  name: string,
  text: string,
  location: SourceLocation,
  diagnostics: Diagnostics,
): Partial<QuirkSettings> | undefined {
  const setting = settingOfName.get(name);
  if (setting === undefined) {
    const nearest = nearestName(name, settingOfName.keys());
    diagnostics.error(
      location,
      'a quirk that does not exist',
      nearest === undefined ? 'See docs/ENVIRONMENT.md for their names.' : `Did you mean ${nearest}?`,
    );
    return undefined;
  }
  if (text === '') return undefined;
  const row = quirkTable[setting];
  const parsed = parseQuirk(row, text);
  if (parsed !== 'wrong') return { [setting]: parsed.value } as Partial<QuirkSettings>;
  const found = row.kind === 'json' ? `a text of ${text.length} characters (not shown)` : showValue(text);
  diagnostics.error(location, found, `Set ${quirkForm(row)}.`);
  return undefined;
}

/** A setting as the documentation shows it. */
export interface QuirkDocumentation {
  readonly name: string;
  readonly form: string;
  readonly fallback: string;
  readonly about: string;
}

function describeFallback(row: QuirkRow): string {
  if (!('fallback' in row)) return '';
  return row.kind === 'list' ? row.fallback.join(',') : String(row.fallback);
}

/** All QUIRK_* settings, for the documentation. */
export const quirkDocumentation: readonly QuirkDocumentation[] = [...settingOfName].map(([name, setting]) => {
  const row: QuirkRow = quirkTable[setting];
  return { name, form: quirkForm(row), fallback: describeFallback(row), about: row.about };
});
