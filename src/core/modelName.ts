import { ApiError } from './errors.ts';

/**
 * How names of models are written, by users, clients and earlier systems. Nothing else takes them apart: what a name stands for is
 * handed on as a `ModelRef` (config/models.ts makes it).
 */

/** The name without `custom/`, in lower case: by it a model of the models file is found, however it is spelled. */
export function customId(name: string): string {
  return name.replace(/^custom\//i, '').toLowerCase();
}

/** A name in two parts where it begins with one of the prefixes and a slash, like `vendor/model`; prefixes are in lower case. */
export function splitPrefix(
  name: string,
  prefixes: readonly string[],
): { readonly prefix: string; readonly rest: string } | undefined {
  const slash = name.indexOf('/');
  const prefix = name.slice(0, Math.max(slash, 0)).toLowerCase();
  return prefixes.includes(prefix) ? { prefix, rest: name.slice(slash + 1) } : undefined;
}

/** `provider,model`: a model of a provider that is named; undefined for a name without a comma. */
export function splitProvider(name: string): { readonly provider: string; readonly model: string } | undefined {
  const comma = name.indexOf(',');
  return comma < 0 ? undefined : { provider: name.slice(0, comma).trim(), model: name.slice(comma + 1).trim() };
}

/** The name that a client asks for, taken apart. */
export interface RequestedName {
  /** Without `[1m]`, the suffix for a large context, and without the vendor's prefix `anthropic/`. */
  readonly bare: string;
  /** The model behind `claude-<instance>--`, as the model list has it. */
  readonly alias: string | undefined;
  /** Every way in which it may name a model exactly, the most literal first. */
  readonly spellings: readonly string[];
}

/** Bytes of the longest name that is read. The longest of any vendor has a tenth of it. */
const MOST_BYTES = 1024;

/** The name without `[1m]`, by which Claude Code asks for a large context: the suffix is the client's own, and no provider knows it. */
export function withoutContextSuffix(name: string): string {
  return name.replace(/\[1m\]\s*$/i, '').trimEnd();
}

const ALIAS_START = 'claude-';
const ALIAS_MARK = '--';

/** By searching, as a regular expression for it takes time by the square where there are many dashes. */
function aliasOf(name: string): string | undefined {
  if (name.slice(0, ALIAS_START.length).toLowerCase() !== ALIAS_START) return undefined;
  const mark = name.indexOf(ALIAS_MARK, ALIAS_START.length + 1); // an instance has a name
  const alias = mark < 0 ? '' : name.slice(mark + ALIAS_MARK.length);
  return alias === '' ? undefined : alias;
}

/**
 * Takes apart the name that a client asks for; every request comes through here, before anything else looks at its name.
 * @throws ApiError (invalid_request) for a name of more than a kilobyte, which would be kept and searched for nothing.
 */
export function parseRequestedName(requested: string): RequestedName {
  const bytes = Buffer.byteLength(requested);
  if (bytes > MOST_BYTES)
    throw new ApiError(
      'invalid_request',
      `model: a name of ${bytes} bytes is too long; at most ${MOST_BYTES} are read`,
    );
  const name = withoutContextSuffix(requested).trim();
  const bare = name.replace(/^anthropic\//i, '');
  const alias = aliasOf(bare);
  return { bare, alias, spellings: [name, name.replace(/-\d{8}$/, ''), bare, ...(alias === undefined ? [] : [alias])] };
}
