import { asNumber, asString, isObject } from '../../core/json.ts';
import { withoutContextSuffix } from '../../core/models.ts';
import type { Config, DatedPrices } from '../config.ts';
import { createDiagnostics, type Diagnostics, showFile, showJson } from '../diagnostics.ts';
import type { Variable } from '../env/variables.ts';
import { type ReadText, readErrorCode } from './companion.ts';
import { type ParsedDocument, type Path, parseDocumentText, showPath } from './document.ts';

/** The prices of the user's own list, and what is wrong with it. */
export interface PricesFile {
  readonly prices: Config['prices'];
  readonly diagnostics: Diagnostics;
}

const PRICES = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;
const FIELDS: readonly string[] = [...PRICES, 'from'];
const FORM = 'Write prices in US dollars per million tokens: {"input": 2, "output": 10, "cacheRead": 0.2}.';
/** A day as YYYY-MM-DD. */
export const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
/** The beginning of prices without one: before every day. */
const ALWAYS = '';

/** Reports what is wrong at a path of the document. */
type Complain = (path: Path, found: string, fix?: string) => void;

function readEntry(value: unknown, path: Path, complain: Complain): DatedPrices | undefined {
  if (!isObject(value)) {
    complain(path, showJson(value));
    return undefined;
  }
  let isValid = true;
  const refuse = (field: string, found: string, fix?: string) => {
    complain([...path, field], found, fix);
    isValid = false;
  };
  for (const field of Object.keys(value)) {
    if (!FIELDS.includes(field)) refuse(field, 'a field that means nothing', `Use ${FIELDS.join(', ')}.`);
  }
  for (const field of PRICES) {
    const price = value[field];
    if (price === undefined && field !== 'input' && field !== 'output') continue;
    if (price === undefined) refuse(field, 'no price', FORM);
    else if ((asNumber(price) ?? -1) < 0) refuse(field, showJson(price), 'Write a number of 0 or more.');
  }
  const from = value['from'] === undefined ? ALWAYS : asString(value['from']);
  if (from === undefined || (from !== ALWAYS && !DAY.test(from))) {
    refuse('from', showJson(value['from']), 'Write the first day of these prices like "2026-11-20".');
  }
  if (!isValid) return undefined;
  const prices = Object.fromEntries(
    PRICES.flatMap((field) => (value[field] === undefined ? [] : [[field, value[field]]])),
  );
  return { ...(prices as unknown as DatedPrices), from: from ?? ALWAYS };
}

function readModel(model: string, value: unknown, complain: Complain): readonly DatedPrices[] {
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) complain([model], 'an empty list', FORM);
  const entries = list.flatMap((entry, index) => {
    const path = Array.isArray(value) ? [model, index] : [model];
    return readEntry(entry, path, complain) ?? [];
  });
  const days = entries.map(({ from }) => from);
  const twice = days.find((day, index) => days.indexOf(day) !== index);
  if (twice !== undefined) {
    complain(
      [model],
      `prices twice ${twice === ALWAYS ? 'without "from"' : `from ${twice}`}`,
      'Give each its own day.',
    );
  }
  return entries.toSorted((a, b) => (a.from < b.from ? -1 : 1));
}

/**
 * Reads PRICES_FILE, YAML or JSON: prices by model, one entry or a list of entries with the day `from` which they hold. Without
 * the setting there are none.
 */
export function readPricesFile(choice: Variable | undefined, readText: ReadText, diagnostics: Diagnostics): PricesFile {
  if (choice === undefined || choice.value === '') return { prices: new Map(), diagnostics: createDiagnostics('') };
  const own = createDiagnostics(choice.value);
  let document: ParsedDocument | undefined;
  try {
    document = parseDocumentText(readText(choice.value), own);
  } catch (error) {
    const found = `${showFile(choice.value)}, which cannot be read (${readErrorCode(error)})`;
    diagnostics.error(choice, found, 'Give the path of a readable file; a relative one starts from the project.');
  }
  if (document === undefined) return { prices: new Map(), diagnostics: own };
  const { value, lineOf } = document;
  const complain: Complain = (path, found, fix = FORM) =>
    own.error({ name: showPath(path) || 'file', line: lineOf(path) }, found, fix);
  if (!isObject(value)) {
    complain([], 'no list of models', 'Write {"model-name": {"input": 2, "output": 10}}.');
    return { prices: new Map(), diagnostics: own };
  }
  const models = Object.entries(value).map(
    ([model, entry]) => [withoutContextSuffix(model), readModel(model, entry, complain)] as const,
  );
  return { prices: new Map(models), diagnostics: own };
}
