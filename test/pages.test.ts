import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../src/cli/args.ts';
import { commandNames } from '../src/cli/commandTable.ts';
import { configFromText } from '../src/config/load.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name).replaceAll('\\', '/'));

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...filesIn('docs', '.md')];
/** Decisions say how things were on their day. */
const present = pages.filter((path) => !path.startsWith('docs/decisions/') && path !== 'CHANGELOG.md');
const blocksOf = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '');

describe.each(pages)('%s', (path) => {
  const text = read(path).replaceAll(/^```.*?^```$/gms, '');

  test('links only to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const missing = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [file = '', anchor] = link.split('#');
        const target = file === '' ? path : join(dirname(path), file);
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
      });
    expect(missing).toEqual([]);
  });
});

/** Paths in code, but for those of an example. */
test.each(present)('the files that %s names are there', (path) => {
  const text = read(path).replaceAll(/^```.*?^```$/gms, '');
  const named = [...text.matchAll(/`((?:src|scripts|test|bench|soak)\/[^`\s]*)`/g)].map((match) => match[1] ?? '');
  const missing = named.filter((name) => !/[*<]|acme/.test(name) && !existsSync(join(root, name)));
  expect(missing).toEqual([]);
});

test.each(present)('what %s says is in a file is there', (path) => {
  const named = [...read(path).matchAll(/`(\w+)` in `((?:src|scripts)\/[^`\s]+\.ts)`/g)];
  const missing = named.filter(([, name, file = '']) => !new RegExp(`\\b${name}\\b`).test(read(file)));
  expect(missing.map(([text]) => text)).toEqual([]);
});

/** The names that GitHub gives to headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What a shell would hand to `./manage`, as far as it stands before a pipe, a redirection or a comment. */
function commandLines(text: string): string[][] {
  const code = [...blocksOf(text, 'sh'), ...blocksOf(text, 'text'), ...(text.match(/`[^`\n]+`/g) ?? [])].join('\n');
  return [...code.matchAll(/\.\/manage(?<words>(?: [^\s#|<>"'`$();,]+)*)/g)].map(
    (match) => match.groups?.['words']?.split(' ').filter(Boolean) ?? [],
  );
}

// docs/COMMANDS.md is the help itself, which has a test of its own.
const written = present.filter((path) => path !== 'docs/COMMANDS.md');
test.each([...written, ...filesIn('envs', '.example')])('the commands in %s are such as there are', async (path) => {
  const withoutTestTitles = read(path).replaceAll(/› `[^`]+`/g, '');
  const lines = commandLines(withoutTestTitles).filter((words) => !words.includes('COMMAND'));
  const parsedLines = await Promise.all(
    lines.map(async (words) => ({ words: words.join(' '), parsed: await parseCommandLine(words) })),
  );
  const wrong = parsedLines
    // A command alone is meant as its name.
    .filter(({ words, parsed }) => parsed.kind === 'usage' && !commandNames.some((name) => name === words));
  expect(wrong).toEqual([]);
});

test.each(present)('the env files in %s are right', (path) => {
  const files = blocksOf(read(path), 'sh').filter((block) => block.startsWith('# envs/'));
  const problems = files.flatMap((text) => {
    const filled = text
      .replaceAll('=...', '=sk-0123456789')
      .replaceAll(/^PROVIDERS_FILE=\S+/gm, 'PROVIDERS_FILE=envs/providers.json.example');
    return configFromText('envs/sample.env', filled, {}, root).problems;
  });
  expect(problems).toEqual([]);
});

test('README.md is short where a beginner reads it, and lists the ten most used commands', () => {
  const [beginning = '', commands = ''] = read('README.md').split('\n## All commands\n');
  expect(beginning.split(/\s+/).length).toBeLessThanOrEqual(900);
  expect(commands.match(/^\| \[`/gm)).toHaveLength(10);
});

test('docs/README.md lists every page', () => {
  const index = read('docs/README.md');
  const missing = filesIn('docs', '.md')
    .filter((path) => path !== 'docs/README.md' && !path.startsWith('docs/decisions/'))
    .filter((path) => !index.includes(`](${path.slice('docs/'.length)})`));
  expect(missing).toEqual([]);
});

test('the messages in docs/TROUBLESHOOTING.md are those of the program', () => {
  const sources = [...filesIn('src', '.ts'), 'manage'].map(read).join('\n');
  const firstCells = [...read('docs/TROUBLESHOOTING.md').matchAll(/^\| (.+?) \|/gm)].map((match) => match[1] ?? '');
  const quoted = firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
  const sentences = quoted.filter((text) => text.includes(' '));
  expect(sentences.length).toBeGreaterThan(25);
  const unknown = sentences.filter((sentence) =>
    sentence
      .replace(/^envs\/\w+\.env:\d+ .*? error: /, '')
      .split('…')
      .map((piece) => piece.trim())
      .some((piece) => !sources.includes(piece)),
  );
  expect(unknown).toEqual([]);
});
