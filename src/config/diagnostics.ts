import type { Problem } from './config.ts';
import { maskCredentials } from './wrongValue.ts';

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
