import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { expectNoSecret } from '../../helpers/secretForms.ts';
import { question, wholeQuestion } from '../client.ts';
import { askLocalSockets } from '../localSockets.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const fileOf = ({ binary }: Stage) => join(binary.folder, 'hostile.env');

/** Changes of a file are seen within a second. */
const SEEING = { timeout: 5000, interval: 50 };

const problems = async (stage: Stage) => (await stage.health()).config_problems;
const hash = async (stage: Stage) => (await stage.health()).config_hash;

/** Writes a file as editors do: another one is made, and takes the name. */
function write(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Puts something in the place of a file, looks, and puts the old one back. */
async function withFile(
  stage: Stage,
  file: string,
  replace: (file: string, text: string) => void,
  look: () => Promise<void>,
): Promise<void> {
  const text = readFileSync(file, 'utf8');
  try {
    replace(file, text);
    await look();
  } finally {
    write(file, text);
  }
  await expect.poll(() => problems(stage), SEEING).toEqual([]);
}

/** An edit of the env file is seen. */
async function expectWatched(stage: Stage): Promise<void> {
  const before = await hash(stage);
  const edit = (file: string, text: string) => write(file, `${text}LOG_LEVEL=warn\n`);
  await withFile(stage, fileOf(stage), edit, () => expect.poll(() => hash(stage), SEEING).not.toBe(before));
  await expect.poll(() => hash(stage), SEEING).toBe(before);
}

/** Long enough for the instance to have looked at its files twice. */
const seen = () => new Promise<void>((resolve) => setTimeout(resolve, 2000));

/** Of the form of a vendor's keys: what only a person would know to be one is shown where a number should stand. */
const SECRET = 'sk-proj-Zx81QmT0vL5bR7wYk3Nc-of-a-wrong-edit';
/** Places in which somebody may put a secret by mistake. */
const WRONG_EDITS: readonly (readonly [where: string, line: string, inPlaceOf?: RegExp])[] = [
  ['in the query of an address', `OPENAI_BASE_URL=https://host.example/v1?api-key=${SECRET}`],
  ['as the user of an address', `OPENAI_BASE_URL=https://${SECRET}@host.example/v1`],
  ['in a body that is no JSON', `QUIRK_EXTRA_BODY={"key":"${SECRET}"`],
  ['as the name of a file', `OPENAI_API_KEY_FILE=${SECRET}`, /^OPENAI_API_KEY=.*\n/m],
  ['as a number', `REQUEST_TIMEOUT=${SECRET}`],
  ['as a port', `PORT=${SECRET}`],
  ['as an address to listen on', `HOST=http://${SECRET}/`],
  ['in a line without a name', `${SECRET}`],
];

async function expectSecretKept(stage: Stage): Promise<void> {
  await expect.poll(() => problems(stage), SEEING).not.toEqual([]);
  const log = readFileSync((await stage.health()).log.path, 'utf8');
  expectNoSecret([await stage.get('/health'), stage.binary.output(), log].join('\n'), [SECRET]);
}

const wrongEdits = WRONG_EDITS.map(
  ([where, line, inPlaceOf = /^$/]): Scenario => ({
    name: `reads what stands in a wrong edit: a secret ${where}`,
    act: async (stage) => {
      const edit = (file: string, text: string) => write(file, `${text.replace(inPlaceOf, '')}${line}\n`);
      await withFile(stage, fileOf(stage), edit, () => expectSecretKept(stage));
      return [];
    },
  }),
);

const wrongToken = (index: number) => ({
  ...wholeQuestion('ordinary'),
  headers: { 'x-api-key': `wrong-token-${index}-0123456789` },
});

export const localScenarios: readonly Scenario[] = [
  ...wrongEdits,
  {
    name: 'reads what stands in a wrong edit: a secret in place of the name of a variable',
    act: async (stage) => {
      const edit = (file: string, text: string) => write(file, text.replace('${OPENAI_API_KEY}', `\${${SECRET}}`));
      await withFile(stage, stage.providersFile, edit, () => expectSecretKept(stage));
      return [];
    },
  },
  {
    name: 'tries 25 wrong tokens, while the owner has the right one',
    act: async (stage) => {
      const tried = await Promise.all(Array.from({ length: 25 }, (_, index) => stage.ask(wrongToken(index))));
      for (const { status } of tried) expect([401, 429]).toContain(status);
      const owners = await stage.ask(wholeQuestion('ordinary'));
      expect(owners.status, owners.text).toBe(200);
      return [...tried, owners];
    },
  },
  {
    name: 'calls the local sockets of the instance, and says a megabyte there',
    act: async (stage) => {
      await askLocalSockets(stage);
      await askLocalSockets(stage, 'x'.repeat(1_000_000));
      await Promise.all(Array.from({ length: 50 }, () => askLocalSockets(stage)));
      return [];
    },
  },
  {
    name: 'opens 500 connections and says nothing',
    act: async (stage) => {
      const sockets = Array.from({ length: 500 }, () => connect(stage.binary.port, '127.0.0.1').on('error', () => {}));
      const answer = await stage.ask(question('ordinary'));
      expect(answer.status).toBe(200);
      for (const socket of sockets) socket.destroy();
      return [answer];
    },
  },
  {
    name: 'puts a pipe in the place of the env file',
    act: async (stage) => {
      const edit = (file: string) => {
        execFileSync('mkfifo', [`${file}.pipe`]);
        renameSync(`${file}.pipe`, file);
      };
      await withFile(stage, fileOf(stage), edit, seen);
      await expectWatched(stage);
      return [];
    },
  },
  {
    name: 'puts a link to /dev/zero in the place of the env file',
    act: async (stage) => {
      const edit = (file: string) => {
        symlinkSync('/dev/zero', `${file}.link`);
        renameSync(`${file}.link`, file);
      };
      await withFile(stage, fileOf(stage), edit, seen);
      await expectWatched(stage);
      return [];
    },
  },
  {
    name: 'sees an env file that is half written, with the token still missing',
    act: async (stage) => {
      // As an editor leaves it for a moment: what stands in front of the token is valid by itself.
      const edit = (file: string, text: string) => {
        const at = text.indexOf('ANTHROPIC_API_KEY=');
        writeFileSync(file, text.slice(0, at), { mode: 0o600 });
      };
      const withoutToken = { ...wholeQuestion('ordinary'), headers: { 'x-api-key': 'none' } };
      await withFile(stage, fileOf(stage), edit, async () => {
        const until = performance.now() + 2500;
        while (performance.now() < until) {
          // 429 after the many wrong ones before.
          expect([401, 429]).toContain((await stage.ask(withoutToken)).status);
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
      });
      return [];
    },
  },
];
