import { pick, type Random } from './random.ts';

const WORDS = [
  'agent',
  'answer',
  'array',
  'before',
  'branch',
  'buffer',
  'build',
  'called',
  'change',
  'check',
  'client',
  'command',
  'commit',
  'config',
  'error',
  'event',
  'every',
  'export',
  'field',
  'file',
  'first',
  'folder',
  'function',
  'import',
  'index',
  'line',
  'message',
  'must',
  'never',
  'option',
  'parse',
  'path',
  'project',
  'read',
  'request',
  'result',
  'return',
  'review',
  'schema',
  'search',
  'server',
  'should',
  'stream',
  'string',
  'test',
  'tool',
  'type',
  'user',
  'value',
  'when',
  'with',
  'write',
] as const;

const LINES = [
  'export async function loadSettings(path: string): Promise<Settings> {',
  '  const text = await readFile(path, "utf8");',
  '  if (text.trim() === "") throw new SettingsError(`${path} is empty`);',
  '\treturn { name: "größer – naïve ✓ 設定 🙂", escaped: "C:\\\\temp\\\\new" };',
  '  const pattern = /^\\s*"([^"\\\\]+)"\\s*:\\s*(.+?),?$/u;',
  '  for (const [key, value] of entries) settings.set(key, value ?? null);',
  '}',
  '',
] as const;

/** So many words as people and models write them. */
export function words(random: Random, count: number): string {
  return Array.from({ length: count }, () => pick(random, WORDS) + (random() < 0.08 ? '.' : '')).join(' ');
}

/** About so many bytes of source code as a tool prints it, with all that JSON must escape. */
export function sourceCode(random: Random, bytes: number): string {
  const lines: string[] = [];
  for (let length = 0; length < bytes; ) {
    const line = `${String(lines.length + 1).padStart(6)}\t${pick(random, LINES)}`;
    lines.push(line);
    length += line.length + 1;
  }
  return lines.join('\n');
}
