import { isObject, type Json } from '../../core/json.ts';
import type { Place, Report } from '../diagnostics.ts';
import { type LookUp, replaceReferences } from '../env/variables.ts';
import loadYaml from './loadYaml.cjs';

/** Where a value stands in the file: names of fields and 0-based positions in lists. */
export type Path = readonly (string | number)[];

export interface ParsedDocument {
  /** As JSON would give it. */
  readonly value: unknown;
  /** 1-based line of a field, or of the nearest thing around it that stands in the file. */
  readonly lineOf: (path: Path) => number | undefined;
}

/** `['models', 0, 'api_base']` -> `models[0].api_base`, for problems. */
export function showPath(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

/** YAML, of which JSON is a part, to a value; undefined and a problem when the text is neither. */
export function parseDocumentText(text: string, report: Report): ParsedDocument | undefined {
  const { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const document = parseDocument(text.replace(/^\ufeff/, ''), options);
  const lineAt = (offset: number) => lines.linePos(offset).line;
  // One fault usually brings others after it. The parser's own words may quote the file, which may hold a key.
  const [fault] = document.errors;
  if (fault !== undefined) {
    const kind = fault.code.toLowerCase().replaceAll('_', ' ');
    report.error(
      { key: 'file', line: lineAt(fault.pos[0]) },
      `text that is neither YAML nor JSON (${kind})`,
      'Mend the line; indentation is of blanks, and a value with special characters is put in double quotes.',
    );
    return undefined;
  }
  const lineOf = (path: Path): number | undefined => {
    const last = path.at(-1);
    const parent = document.getIn(path.slice(0, -1), true);
    const field = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key : undefined;
    const node = field ?? (isSeq(parent) && typeof last === 'number' ? parent.items[last] : undefined);
    if (isNode(node) && node.range != null) return lineAt(node.range[0]);
    return path.length === 0 ? undefined : lineOf(path.slice(0, -1));
  };
  try {
    return { value: document.toJS(), lineOf };
  } catch {
    report.error(
      { key: 'file' },
      'an alias (*name) without its anchor (&name), or very many of them',
      'Write the values out.',
    );
    return undefined;
  }
}

/** A reference to a variable that has no value, and where it stands. */
export interface Missing {
  readonly variable: string;
  readonly place: Place;
}

/** The value with the references in all its texts replaced, and the names that have no value. */
export function expandTexts(
  written: Json,
  lookUp: LookUp,
  place: Place,
  report: Report,
): { readonly value: Json; readonly missing: readonly Missing[] } {
  const missing = new Set<string>();
  const expand = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(expand);
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, expand(inner ?? null)]));
    if (typeof value !== 'string') return value;
    const replaced = replaceReferences(value, lookUp);
    for (const name of replaced.missing) missing.add(name);
    if (replaced.malformed)
      report.error(place, 'a reference that is not of the form ${NAME} or ${NAME:-default}', 'Write it so.');
    return replaced.text;
  };
  return { value: expand(written), missing: [...missing].map((variable) => ({ variable, place })) };
}

/** Tells of a reference without a value, for the sake of which something is left out. */
export function warnOfMissing({ variable, place }: Missing, what: string, report: Report): void {
  report.warning(
    place,
    `\${${variable}}, which is set neither in the env file nor in the environment`,
    `Set ${variable} in the env file; ${what} is left out until then.`,
  );
}
