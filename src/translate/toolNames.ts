import { shortHash } from './hash.ts';

/**
 * The tool names of one request in both directions (R139, R209): what Claude Code calls a tool, and what the provider gets
 * to see when that name is too long or has characters that it refuses.
 */
export interface ToolNames {
  /** Name for the provider; deterministic, also for tools that only the history mentions. */
  toProvider(name: string): string;
  /** Name for Claude Code: reverse map, exact, unique case-insensitive, after known prefixes, else as it came. */
  toClient(name: string): string;
}

const HASH_LENGTH = 8;

/** What models put before a tool's name when they confuse the API with their training format (R209). */
const STRAY_PREFIX = /^(?:functions\.|default_api[:.]|tool_use:)/;

/**
 * Names both ways for the tools on offer and those that only the history mentions; `longest` is the provider's limit. Two
 * offered names that would become one both get a hash. One that the history brings up gets it alone, so that a turn more
 * never changes the names in those before it (R104).
 */
export function createToolNames(offered: Iterable<string>, mentioned: Iterable<string>, longest: number): ToolNames {
  const names = new Set(offered);
  const owners = new Map<string, number>();
  for (const name of names) {
    const plain = sanitize(name, longest);
    owners.set(plain, (owners.get(plain) ?? 0) + 1);
  }
  const forward = new Map<string, string>();
  const back = new Map<string, string>();
  const add = (name: string, isTaken: boolean) => {
    const plain = sanitize(name, longest);
    const mapped = isTaken ? withHash(plain, name, longest) : plain;
    forward.set(name, mapped);
    back.set(mapped, name);
  };
  for (const name of names) add(name, (owners.get(sanitize(name, longest)) ?? 0) > 1);
  for (const name of mentioned) {
    if (!forward.has(name)) add(name, back.has(sanitize(name, longest)));
  }
  const find = (name: string) => back.get(name) ?? (forward.has(name) ? name : findIgnoringCase(forward.keys(), name));
  return {
    toProvider: (name) => forward.get(name) ?? sanitize(name, longest),
    toClient: (name) => find(name) ?? find(name.replace(STRAY_PREFIX, '')) ?? name,
  };
}

function sanitize(name: string, longest: number): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  return clean.length > longest ? withHash(clean, name, longest) : clean;
}

function withHash(clean: string, original: string, longest: number): string {
  return `${clean.slice(0, longest - HASH_LENGTH - 1)}_${shortHash(original, HASH_LENGTH)}`;
}

function findIgnoringCase(names: Iterable<string>, wanted: string): string | undefined {
  const lower = wanted.toLowerCase();
  const matches = [...names].filter((name) => name.toLowerCase() === lower);
  return matches.length === 1 ? matches[0] : undefined;
}
