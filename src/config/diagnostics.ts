import type { Problem } from './config.ts';

/** Where a problem is: a variable, or a bare key when it stands in no line. */
export interface Place {
  readonly key: string;
  readonly line?: number | undefined;
}

/** A text that the user has written, and where. */
export interface Written extends Place {
  readonly value: string;
}

/** Collects the problems of one file, so that all of them can be shown at once. */
export interface Report {
  readonly problems: readonly Problem[];
  error(place: Place, found: string, fix: string): void;
  warning(place: Place, found: string, fix: string): void;
}

export function createReport(file: string): Report {
  const problems: Problem[] = [];
  const add = (severity: Problem['severity'], { key, line }: Place, found: string, fix: string) => {
    problems.push({ file, ...(line === undefined ? {} : { line }), key, found, fix, severity });
  };
  return {
    problems,
    error: (place, found, fix) => {
      // A key whose line is wrong is not missing as well.
      const told = problems.some((problem) => problem.severity === 'error' && problem.key === place.key);
      if (place.line !== undefined || !told) add('error', place, found, fix);
    },
    warning: (place, found, fix) => add('warning', place, found, fix),
  };
}

/** A problem in one line, for a log: where it is, what was found, how to mend it. */
export function problemLine({ file, line, key, found, fix }: Problem): string {
  return `${line === undefined ? file : `${file}:${line}`} ${key}: found ${found}. ${fix}`;
}

/** A wrong text for a message; never a secret, and never an address with a password in it. */
export function showText(text: string, isSecret: boolean): string {
  if (isSecret || text.includes('@')) return `a value of ${text.length} characters (not shown)`;
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
