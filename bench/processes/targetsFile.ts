import { readFileSync } from 'node:fs';
import type { Target } from './target.ts';

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const isTextMap = (value: unknown): value is Record<string, string> =>
  typeof value === 'object' && value !== null && isTexts(Object.values(value));

function readTarget(value: Partial<Record<keyof Target, unknown>>, place: string): Target {
  const take = <Value>(
    name: keyof Target,
    fits: (value: unknown) => value is Value,
    what: string,
    fallback?: Value,
  ) => {
    const given = value[name] ?? fallback;
    if (!fits(given)) throw new Error(`${place}.${name}: ${what} expected`);
    return given;
  };
  const isText = (given: unknown): given is string => typeof given === 'string' && given !== '';
  return {
    name: take('name', isText, 'a text'),
    command: take('command', isTexts, 'a list of texts'),
    environment: take('environment', isTextMap, 'texts by name', {}),
    files: take('files', isTextMap, 'texts by path', {}),
    path: take('path', isText, 'a text', '/v1/messages'),
    headers: take('headers', isTextMap, 'texts by name', {}),
    skip: take('skip', isTexts, 'a list of texts', []),
  };
}

/** The other proxies of a targets file (docs/BENCHMARKS.md); throws an error that says where it is wrong. */
export function parseTargets(text: string, file: string): readonly Target[] {
  const { targets }: { targets?: unknown } = JSON.parse(text);
  if (!Array.isArray(targets)) throw new Error(`${file}: {"targets": [...]} expected`);
  return targets.map((value: unknown, index) => readTarget(Object(value), `${file}: targets[${index}]`));
}

export function readTargetsFile(file: string): readonly Target[] {
  return parseTargets(readFileSync(file, 'utf8'), file);
}
