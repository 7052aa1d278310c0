import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/args.ts';
import type { Context } from '../../../../src/cli/command.ts';
import { editInstance } from '../../../../src/cli/envs/editInstance.ts';
import { createPm2 } from '../../../../src/cli/supervisor/pm2.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

const BEFORE = 'PROVIDER=demo\nPORT=8090\n';

let root: string;
let remove: () => void;
let said: string[];
let asked: string[];

beforeEach(async () => {
  ({ path: root, remove } = temporaryFolder());
  [said, asked] = [[], []];
  await mkdir(join(root, 'envs'));
  const ecosystem = resolve(import.meta.dirname, '../../../../ecosystem.config.cjs');
  await copyFile(ecosystem, join(root, 'ecosystem.config.cjs'));
  await writeFile(join(root, 'envs', 'work.env'), BEFORE, { mode: 0o640 });
  await chmod(join(root, 'envs', 'work.env'), 0o640);
});
afterEach(() => remove());

const envText = () => readFile(join(root, 'envs', 'work.env'), 'utf8');

/** An editor that does this to the text, each time it is opened the next; `file` and `write` are at hand there. */
async function editor(...bodies: readonly string[]): Promise<string> {
  const script = join(root, 'editor.mjs');
  const lines = [
    "import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';",
    'const file = process.argv.at(-1);',
    'const write = (text) => writeFileSync(file, text);',
    `const turn = existsSync('${root}/turn') ? Number(readFileSync('${root}/turn', 'utf8')) : 0;`,
    `writeFileSync('${root}/turn', String(turn + 1));`,
    `switch (turn) { ${bodies.map((body, index) => `case ${index}: ${body}; break;`).join(' ')} }`,
  ];
  await writeFile(script, lines.join('\n'));
  return `'${process.execPath}' '${script}' --wait`;
}

async function editWith(visual: string, answers: readonly boolean[] = [], hasTerminal = true) {
  const parsed = await parseCommandLine(['edit', 'work']);
  if (parsed.kind !== 'run') throw new Error('not a command');
  const left = [...answers];
  const context: Context = {
    root,
    environment: { PATH: process.env['PATH'], EDITOR: 'false', VISUAL: visual },
    output: {
      program: './manage',
      columns: undefined,
      isTerminal: false,
      print: () => {},
      show: () => {},
      wait: (_what, work) => work,
      say: (text) => void said.push(text),
      complain: (text) => void said.push(text),
      paint: (_colour, text) => text,
    },
    pm2: createPm2({ root, environment: {} }),
    prompter: hasTerminal
      ? {
          ask: async () => '',
          choose: () => Promise.reject(new Error('nothing is chosen here')),
          askHidden: async () => '',
          confirm: async (question) => {
            asked.push(question);
            return left.shift() ?? false;
          },
        }
      : undefined,
    commands: {},
  };
  return editInstance(context, parsed.invocation);
}

const drafts = async () => (await readdir(join(root, 'state'))).filter((name) => name.startsWith('edit-'));

test('what is right takes the place of the file, which keeps its mode', async () => {
  expect(await editWith(await editor('write("PROVIDER=demo\\nPORT=8091\\n")'))).toBe(0);
  expect(await envText()).toBe('PROVIDER=demo\nPORT=8091\n');
  expect((await stat(join(root, 'envs', 'work.env'))).mode & 0o777).toBe(0o640);
  expect(await drafts()).toEqual([]);
  expect(said.join()).toContain('Saved envs/work.env');
  expect(await readdir(join(root, 'envs'))).toEqual(['work.env']);
});

test('the copy is for the owner only, and named like the file', async () => {
  const note = `writeFileSync('${root}/seen', (statSync(file).mode & 0o777).toString(8) + ' ' + file)`;
  expect(await editWith(await editor(note))).toBe(0);
  expect(await readFile(join(root, 'seen'), 'utf8')).toMatch(/^600 .*\/state\/edit-\w+\/work\.env$/);
});

test('what is wrong is shown with its line and edited again', async () => {
  const visual = await editor('write("PROVIDER=demo\\nPORT=banana\\n")', 'write("PROVIDER=demo\\nPORT=8092\\n")');
  expect(await editWith(visual, [true])).toBe(0);
  expect(said[0]).toMatch(/^envs\/work\.env:2 {2}PORT/);
  expect(asked).toHaveLength(1);
  expect(await envText()).toBe('PROVIDER=demo\nPORT=8092\n');
});

test('whoever gives up leaves the file as it was', async () => {
  expect(await editWith(await editor('write("PORT=banana\\n")'), [false])).toBe(1);
  expect(await envText()).toBe(BEFORE);
  expect(await drafts()).toEqual([]);
});

test('the port of another instance is wrong, too', async () => {
  await writeFile(join(root, 'envs', 'other.env'), 'PROVIDER=demo\nPORT=8093\n');
  expect(await editWith(await editor('write("PROVIDER=demo\\nPORT=8093\\n")'), [false])).toBe(1);
  expect(said[0]).toContain('8093, which is also the port of other.env');
  expect(await envText()).toBe(BEFORE);
});

test('an editor that fails changes nothing', async () => {
  await expect(editWith(await editor('write("PROVIDER=demo\\n"); process.exit(3)'))).rejects.toThrow('exit status 3');
  expect(await envText()).toBe(BEFORE);
  expect(await drafts()).toEqual([]);
});

test('a file that somebody else changed meanwhile is left so, and the copy is kept', async () => {
  const visual = await editor(
    `writeFileSync('${root}/envs/work.env', 'PORT=1'); write("PROVIDER=demo\\nPORT=8094\\n")`,
  );
  await expect(editWith(visual)).rejects.toThrow(/changed meanwhile .*state\/edit-\w+\/work\.env/);
  expect(await envText()).toBe('PORT=1');
  expect(await drafts()).toHaveLength(1);
});

test('nothing changed, nothing written', async () => {
  expect(await editWith(await editor())).toBe(0);
  expect(said.join()).toContain('left as it was');
});

test('without a terminal it is refused with the path of the file', async () => {
  await expect(editWith('false', [], false)).rejects.toMatchObject({ exitCode: 2 });
});
