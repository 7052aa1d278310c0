import type { Problem } from './config.ts';

/** Where a problem is. */
export interface SourceLocation {
  /** Of the setting, variable or field. */
  readonly name: string;
  /** 1-based; absent for what stands in no line, like a setting that is missing. */
  readonly line?: number | undefined;
  /** `environment` for a variable that no file holds. */
  readonly source?: 'file' | 'environment' | undefined;
}

/** A text that the user wrote, and where. */
export interface SourcedValue extends SourceLocation {
  readonly value: string;
}

/** Collects the problems of one file, so that all of them can be shown at once. */
export interface Diagnostics {
  readonly problems: readonly Problem[];
  error(location: SourceLocation, found: string, fix: string): void;
  warning(location: SourceLocation, found: string, fix: string): void;
}

/** What stands in place of the file for a variable of the process's environment. */
const ENVIRONMENT = 'the environment';

export function createDiagnostics(file: string): Diagnostics {
  const problems: Problem[] = [];
  function add(
    severity: Problem['severity'],
    { name, line, source }: SourceLocation,
    found: string,
    fix: string,
  ): void {
    problems.push({
      file: source === 'environment' ? ENVIRONMENT : file,
      ...(line === undefined ? {} : { line }),
      // A key that was pasted at the wrong place may be part of each of them.
      key: maskCredentials(name),
      found: maskCredentials(found),
      fix: maskCredentials(fix),
      severity,
    });
  }
  return {
    problems,
    error: (location, found, fix) => {
      // A setting whose line is wrong is not missing as well.
      const isReported = problems.some(
        ({ severity, key }) => severity === 'error' && key === maskCredentials(location.name),
      );
      if (location.line !== undefined || !isReported) add('error', location, found, fix);
    },
    warning: (location, found, fix) => add('warning', location, found, fix),
  };
}

/** A problem in one line, for a log: where it is, what was found, how to repair it. */
export function formatProblemLine({ file, line, key, found, fix }: Problem): string {
  return `${line === undefined ? file : `${file}:${line}`} ${key}: found ${found}. ${fix}`;
}

const ANSI_STYLES = { bold: 1, error: 31, warning: 33 };

/** Problems for people, two lines each: where and what was found, then how to repair it. */
export function formatProblems(problems: readonly Problem[], { color = false }: { color?: boolean } = {}): string {
  const paint = (style: keyof typeof ANSI_STYLES, text: string) =>
    color ? `\u001b[${ANSI_STYLES[style]}m${text}\u001b[0m` : text;
  const entries = problems.map(({ file, line, key, found, fix, severity }) => {
    const location = paint('bold', line === undefined ? file : `${file}:${line}`);
    const word = paint(severity, severity);
    return `${location}  ${key}  ${word}: found ${found}\n    -> ${fix}`;
  });
  return [...new Set(entries)].join('\n');
}

// How a wrong value is shown. Problems stand in logs, on the console and in /health, which anybody may read, and a wrong edit
// is often a key at the wrong place. So a value is shown only as far as its kind allows: what may hold a key is described and
// not quoted.

const MASK = '****';

/** Beginnings by which vendors' keys are known. A word of the second group is a key only where a digit follows. */
const KEY_PREFIX =
  /(?<![A-Za-z0-9])(?:(?:sk|gsk|xai|ghp|hf)[-_][\w-]{4,}|(?:pk|rk|tp|api|key)[-_][\w-]{8,}|(?:AIza|eyJ)[\w.-]{8,})/g;
const SURE_PREFIX = /^(?:sk|gsk|xai|ghp|hf)[-_]/;
const UUID = /(?<![A-Za-z0-9])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
const RUN = /[A-Za-z0-9]{12,}/g;

/** Whether a run of letters and digits belongs to no language and to no model's name. */
function isRandom(run: string): boolean {
  if (!/\d/.test(run) || !/[A-Za-z]/.test(run)) return false;
  return run.length >= 16 || /^[0-9a-f]+$/i.test(run);
}

/** The text with everything masked that looks like a credential, by its shape alone: names of models, settings and files stay. */
export function maskCredentials(text: string): string {
  return text
    .replace(KEY_PREFIX, (word) => (SURE_PREFIX.test(word) || /\d/.test(word) ? MASK : word))
    .replace(UUID, MASK)
    .replace(RUN, (run) => (isRandom(run) ? MASK : run));
}

function describeLength(text: string, what = 'a value'): string {
  return `${what} of ${text.length} characters (not shown)`;
}

/** Longer than any word that is a value of a setting, and than names of models. */
const MOST_LETTERS = 80;
const MOST_PATH_LETTERS = 400;

/** `token: x` and the like. */
const ASSIGNMENT = /(?:key|token|secret|passw|pwd|auth|sig)\w*["']?\s*[=:]/i;
/** No word of a setting is so long. */
const LONG_WORD = /\w{24}/;
/** Structured data has fields of any name. */
const STRUCTURE = /[{}\n]|^\[.*\]$/;

/**
 * A wrong text for a message. An address is shown without its query, which may hold a key; not shown is what may be a secret, hold a
 * password, or be structured data.
 */
export function showValue(text: string, isSecret = false): string {
  const [beginning = ''] = text.split(/[?#]/, 1);
  const isHidden =
    isSecret ||
    text.includes('@') ||
    beginning.length > MOST_LETTERS ||
    [STRUCTURE, ASSIGNMENT, LONG_WORD].some((form) => form.test(beginning)) ||
    maskCredentials(beginning) !== beginning;
  if (isHidden) return describeLength(text);
  return beginning === text ? JSON.stringify(text) : `${JSON.stringify(beginning)} and more (not shown)`;
}

/** A value of a file in YAML or JSON. */
export function showJson(value: unknown): string {
  if (typeof value === 'string') return showValue(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'a mapping' : JSON.stringify(value);
}

/** A file that the user names, which is a key where that was written in its place. */
export function showFile(path: string): string {
  const isHidden = path.length > MOST_PATH_LETTERS || maskCredentials(path) !== path;
  return isHidden ? describeLength(path, 'a file name') : `the file ${JSON.stringify(path)}`;
}
