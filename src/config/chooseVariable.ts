import type { Report } from './report.ts';
import type { Variable, Variables } from './variables.ts';

/** Whether a variable is there to give a value: an empty one counts as not set. */
function hasValue(variable: Variable | undefined): variable is Variable {
  return variable !== undefined && variable.value.trim() !== '';
}

/**
 * The variable that counts among several names for one thing: one of the environment before one of the file, then the
 * earlier name. Another one of the same source with another value is a warning that says which is used.
 */
export function chooseVariable(names: readonly string[], variables: Variables, report: Report): Variable | undefined {
  const set = names.map((name) => variables.get(name)).filter(hasValue);
  const winner = set.find((variable) => variable.source === 'environment') ?? set[0];
  if (winner === undefined) return undefined;
  for (const other of set) {
    if (other.source === winner.source && other.value.trim() !== winner.value.trim())
      report.warning(
        other,
        `another value than that of ${winner.key}, which means the same`,
        `${winner.key} is used; remove one of them.`,
      );
  }
  return { ...winner, value: winner.value.trim() };
}
