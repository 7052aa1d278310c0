import type { Report } from './report.ts';
import type { Environment, Variable, Variables } from './variables.ts';

const REFERENCE = /\$\{([^}]*)(\}?)/g;
const NAME_AND_DEFAULT = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/** The names that a value refers to. */
export function referencesIn(value: string): readonly string[] {
  return [...value.matchAll(REFERENCE)].flatMap(([, inner = '']) => NAME_AND_DEFAULT.exec(inner)?.[1] ?? []);
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` anywhere inside the values: by the file's variable of that name, else by the
 * environment's; the default stands for a variable that is missing or empty. A value that names itself means the
 * environment's. Missing names, circles and malformed references are problems of the line they stand in.
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
    const value = variable.value.replaceAll(REFERENCE, (_reference, inner: string, end: string) => {
      const [, name, fallback] = NAME_AND_DEFAULT.exec(inner) ?? [];
      if (name === undefined || end === '') {
        report.error(
          variable,
          `a reference that is not of the form \${NAME} or \${NAME:-default}`,
          'Write it so, or put the value in single quotes.',
        );
        return '';
      }
      const found = resolve(name, here);
      if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
      if (found === undefined)
        report.error(
          variable,
          `\${${name}}, which is set neither here nor in the environment`,
          `Set ${name}, or write \${${name}:-default}.`,
        );
      return found ?? '';
    });
    const result = { ...variable, value };
    expanded.set(variable.key, result);
    return result;
  }

  for (const variable of variables.values()) expand(variable, []);
  return expanded;
}
