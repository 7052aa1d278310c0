import { isLoopback } from '../../config/parsers.ts';
import { Secret } from '../../core/secret.ts';
import { envLine } from '../envs/envFiles.ts';

/** A file for envs/, made from one of an earlier system. */
export interface PlannedFile {
  /** Relative to the project. */
  readonly path: string;
  /** The file that it is made from. */
  readonly source: string;
  readonly text: string;
}

/** What could not be carried over as it is, where it stands, and what becomes of it. */
export interface UnsupportedSetting {
  readonly source: string;
  /** 1-based. */
  readonly line?: number | undefined;
  readonly setting: string;
  readonly reason: string;
}

/** What the instances of one place become here. */
export interface ImportPlan {
  readonly files: readonly PlannedFile[];
  readonly unsupported: readonly UnsupportedSetting[];
}

/** What an env file of an earlier system is to become. */
export interface EnvFileImport {
  readonly source: string;
  readonly text: string;
  /** Path of the new file, relative to the project. */
  readonly path: string;
  readonly port: number;
  /** Paths of the new models file and providers file, relative to the project. */
  readonly modelsFile: string | undefined;
  readonly providersFile: string | undefined;
}

/** The same file, line by line, with the port and the paths that hold here, and what means nothing here as a comment. */
export function importEnvFile({ source, text, path, port, modelsFile, providersFile }: EnvFileImport): ImportPlan {
  const assignments = readAssignments(text);
  const unsupported = assignments.flatMap((assignment) => {
    const reason = whyUnsupported(assignment, assignments);
    return reason === undefined ? [] : [{ source, line: assignment.line, setting: assignment.key, reason }];
  });
  const kept = unsupported.reduce((changed, { line }) => commentOut(changed, line), text);
  const settings = [
    { keys: ['PORT', 'CLAUDE_PROXY_PORT'], line: `PORT=${port}` },
    ...(modelsFile === undefined
      ? []
      : [{ keys: ['MODELS_FILE', 'CUSTOM_MODELS_FILE'], line: envLine('MODELS_FILE', modelsFile) }]),
    ...(providersFile === undefined
      ? []
      : [{ keys: ['PROVIDERS_FILE'], line: envLine('PROVIDERS_FILE', providersFile) }]),
  ];
  return { files: [{ path, source, text: setLines(kept, settings) }], unsupported };
}

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

const NEVER_READ = 'it was never read there either';
const VERTEX = 'use a key of AI Studio instead';

/** Names of the earlier systems that have no counterpart, and why, or what to use instead. */
const REASONS: Readonly<Record<string, string>> = {
  RELOAD: 'not needed: a changed file holds within a second',
  REQUESTY_AUTO_CACHE: 'set QUIRK_EXTRA_BODY={"requesty":{"auto_cache":true}}',
  REQUESTY_API_KEY: 'the key belongs into OPENAI_API_KEY',
  LOG_FILE_PATH: 'logs are in logs/<instance>/; LOG_DIR moves them',
  DEFAULT_MAX_TOKENS: NEVER_READ,
  DEFAULT_MAX_INPUT_TOKENS: NEVER_READ,
  DEFAULT_INPUT_COST_PER_TOKEN: NEVER_READ,
  DEFAULT_OUTPUT_COST_PER_TOKEN: NEVER_READ,
  USE_VERTEX_AUTH: VERTEX,
  VERTEX_PROJECT: VERTEX,
  VERTEX_LOCATION: VERTEX,
};

const SHORTEST_PUBLIC_TOKEN = 24;

/** Why a line of an env file cannot stand here as it did there; undefined when it can. */
export function whyUnsupported({ key, value }: Assignment, all: readonly Assignment[]): string | undefined {
  if (key === 'HOST' || key === 'CLAUDE_PROXY_HOST') {
    const token = findValue(all, 'ANTHROPIC_API_KEY', 'CLAUDE_PROXY_AUTH_KEY') ?? '';
    if (value === '' || isLoopback(value) || token.length >= SHORTEST_PUBLIC_TOKEN) return undefined;
    return `whoever reaches the port spends your key; to listen beyond this machine, set ANTHROPIC_API_KEY (${SHORTEST_PUBLIC_TOKEN} characters or more), too`;
  }
  if (key === 'ANTHROPIC_API_KEY' && value !== '' && all.some((one) => one.key === 'PREFERRED_PROVIDER')) {
    return 'there it was the key for Anthropic; here it is the token that clients must present';
  }
  return Object.hasOwn(REASONS, key) ? REASONS[key] : undefined;
}

const SECRET_NAME = String.raw`[\w.-]*(?:key|token|secret|password|authorization|cookie)[\w.-]*`;

/** `NAME=value`, also behind a #. */
const SECRET_ASSIGNMENT = new RegExp(String.raw`^([^=\n]*?)(${SECRET_NAME})([ \t]*=[ \t]*)(.+)$`, 'gim');

/** `name: value` and `"name": value`, the value in quotes, a list, or one word. */
const FIELD = new RegExp(
  String.raw`(["']?)(${SECRET_NAME})(\1\s*:\s*)(\[[^\]]*\]|"[^"\n]*"|'[^'\n]*'|[^\s,}\]]+)`,
  'gi',
);

const QUOTED_TEXT = /(["'`])(.*?)\1/g;
const CREDENTIALS = /(?<=:\/\/)[^\s/@]+@/g;

/** References to variables, numbers (as of limits and prices, whose names end in `token`), and nothing. */
const HARMLESS = /^(?:\$\{[^}]*\}|[\d._]*(?:e[+-]?\d+)?(?:\s+#.*)?)$/i;

/** A text of settings for people: what stands under the name of a secret is masked, but for references to variables. */
export function maskText(text: string): string {
  const mask = (_found: string, before: string, name: string, between: string, value: string) =>
    `${before}${name}${between}${maskValue(name, value)}`;
  return text.replaceAll(SECRET_ASSIGNMENT, mask).replaceAll(FIELD, mask).replaceAll(CREDENTIALS, '****@');
}

function maskValue(name: string, value: string): string {
  if (/(?:name|file)$/i.test(name)) return value;
  const mask = (text: string) => (HARMLESS.test(text) ? text : new Secret(text).masked);
  if (!/^["'`[]/.test(value)) return mask(value);
  return value.replaceAll(QUOTED_TEXT, (_quoted, quote: string, inner: string) => `${quote}${mask(inner)}${quote}`);
}
