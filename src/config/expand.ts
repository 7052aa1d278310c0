import type { Report } from './report.ts';
import type { Environment, Variable, Variables } from './variables.ts';

const REFERENCE = /\$\{([^}]*)(\}?)/g;
const NAME_AND_DEFAULT = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/** The names that a value refers to. */
export function referencesIn(value: string): readonly string[] {
  return [...value.matchAll(REFERENCE)].flatMap(([, inner = '']) => NAME_AND_DEFAULT.exec(inner)?.[1] ?? []);
}

/** A text with its references replaced, and what could not be. */
export interface Replaced {
  readonly text: string;
  /** Names without a value and without a default. */
  readonly missing: readonly string[];
  /** Whether a reference has another form than `${NAME}` and `${NAME:-default}`. */
  readonly malformed: boolean;
}

/** Replaces `${NAME}` and `${NAME:-default}` anywhere inside a text; the default stands for a missing or empty value. */
export function replaceReferences(text: string, lookUp: (name: string) => string | undefined): Replaced {
  const missing: string[] = [];
  let malformed = false;
  const replaced = text.replaceAll(REFERENCE, (_reference, inner: string, end: string) => {
    const [, name, fallback] = NAME_AND_DEFAULT.exec(inner) ?? [];
    if (name === undefined || end === '') {
      malformed = true;
      return '';
    }
    const found = lookUp(name);
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found === undefined) missing.push(name);
    return found ?? '';
  });
  return { text: replaced, missing, malformed };
}

/**
 * Replaces the references inside the values: by the file's variable of that name, else by the environment's. A value that
 * names itself means the environment's. Missing names, circles and malformed references are problems of the line they
 * stand in.
 */
export function expandVariables(variables: Variables, environment: Environment, report: Report): Variables {
  const expanded = new Map<string, Variable>();

  function resolve(name: string, path: readonly Variable[]): string | undefined {
    const variable = variables.get(name);
    if (variable === undefined || path.at(-1) === variable) return environment[name];
    const start = path.indexOf(variable);
    if (start < 0) return expand(variable, path).value;
    const circle = [...path.slice(start), variable].map((one) => one.key).join(' -> ');
    report.error(
      variable,
      `values that refer to each other in a circle: ${circle}`,
      'Give one of them a value of its own.',
    );
    return '';
  }

  function expand(variable: Variable, path: readonly Variable[]): Variable {
    const known = expanded.get(variable.key);
    if (known !== undefined) return known;
    if (variable.literal) {
      expanded.set(variable.key, variable);
      return variable;
    }
    const here = [...path, variable];
    const { text, missing, malformed } = replaceReferences(variable.value, (name) => resolve(name, here));
    if (malformed)
      report.error(
        variable,
        `a reference that is not of the form \${NAME} or \${NAME:-default}`,
        'Write it so, or put the value in single quotes.',
      );
    for (const name of missing)
      report.error(
        variable,
        `\${${name}}, which is set neither here nor in the environment`,
        `Set ${name}, or write \${${name}:-default}.`,
      );
    const result = { ...variable, value: text };
    expanded.set(variable.key, result);
    return result;
  }

  for (const variable of variables.values()) expand(variable, []);
  return expanded;
}
