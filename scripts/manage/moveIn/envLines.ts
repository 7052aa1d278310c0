/** An assignment in the text of an env file. */
export interface Assignment {
  readonly key: string;
  readonly value: string;
  /** 1-based. */
  readonly line: number;
}

const ASSIGNMENT = /^\s*(?:export\s+)?(?<key>[\w.-]+)\s*[=:]\s*(?<value>.*)$/;
const QUOTED = /^(?<quote>["'`])(?<inner>.*)\k<quote>\s*(?:#.*)?$/;

/** The assignments that stand in one line each, which is enough to find names, ports and paths. */
export function readAssignments(text: string): readonly Assignment[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const { key, value = '' } = ASSIGNMENT.exec(line)?.groups ?? {};
    if (key === undefined) return [];
    const inner = QUOTED.exec(value.trim())?.groups?.['inner'] ?? value.replace(/#.*$/, '').trim();
    return [{ key, value: inner, line: index + 1 }];
  });
}

/** The last value under one of the names; undefined where none is given. */
export function findValue(assignments: readonly Assignment[], ...keys: readonly string[]): string | undefined {
  return assignments.findLast(({ key, value }) => keys.includes(key) && value !== '')?.value;
}

/** The text with a line of its own for each key, in the place of the lines that give the key under any of its names. */
export function setLines(
  text: string,
  settings: readonly { readonly keys: readonly string[]; readonly line: string }[],
): string {
  const lines = text.replace(/\s*$/, '').split(/\r?\n/);
  for (const { keys, line } of settings) {
    const places = readAssignments(lines.join('\n')).filter(({ key }) => keys.includes(key));
    const last = places.at(-1);
    if (last === undefined) lines.push(line);
    else lines[last.line - 1] = line;
  }
  return `${lines.join('\n')}\n`;
}

/** The text with a line turned into a comment. */
export function commentOut(text: string, line: number): string {
  return text
    .split(/\r?\n/)
    .map((one, index) => (index === line - 1 ? `# not carried over: ${one.trim()}` : one))
    .join('\n');
}
