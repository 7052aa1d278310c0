import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { displayWidth } from '../../src/core/text.ts';
import { executablePath } from '../../src/host/workers.ts';
import { CONTROL, hasPseudoTerminal, runInTerminal, type TerminalProgram } from '../helpers/pseudoTerminal.ts';
import { call, message } from '../helpers/startApp.ts';
import { freePort, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'token-of-the-instance-0123';
const COLOUR = '\u{1b}[';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Shown {
  readonly url: string;
  readonly terminal: TerminalProgram;
}

async function startInTerminal(environment: Record<string, string>, columns = 100): Promise<Shown> {
  const { path: folder, remove } = temporaryFolder();
  const port = await freePort();
  const file = join(folder, 'night.env');
  writeFileSync(file, `PROVIDER=demo\nPORT=${port}\nANTHROPIC_API_KEY=${TOKEN}\n`, { mode: 0o600 });
  const terminal = runInTerminal([executablePath(ROOT), '--env', file], { columns, folder, environment });
  cleanUps.push(remove, () => terminal.stop());
  await terminal.waitFor(/listening on/);
  return { url: `http://127.0.0.1:${port}/v1/messages`, terminal };
}

function ask(url: string, model: string) {
  const { headers, ...options } = message(model);
  return call(url, { ...options, headers: { ...headers, 'x-api-key': TOKEN } });
}

const linesOf = ({ terminal }: Shown) => stripVTControlCharacters(terminal.shown()).split(/\r?\n/);

test.runIf(hasPseudoTerminal)('a terminal gets the masked settings and a coloured line per request', async () => {
  const shown = await startInTerminal({ TERM: 'xterm-256color' });
  const { terminal, url } = shown;
  await ask(url, 'claude-opus-5');
  await terminal.waitFor(/claude-opus-5[^\n]*\n/);
  await ask(url, `\u{1b}[2J${'claude-haiku-5 '.repeat(20)}`);
  await terminal.waitFor(/\\x1b[^\n]*\n/);
  await call(url, { ...message('x'), body: '{}', headers: { 'content-type': 'application/json', 'x-api-key': TOKEN } });
  await terminal.waitFor(/400 invalid[^\n]*\n/);

  const lines = linesOf(shown);
  const text = lines.join('\n');
  expect(text).toMatch(/^claude-code-proxy \d/);
  expect(text).toMatch(/client token +\*\*\*\*0123\n/);
  expect(terminal.shown()).not.toContain(TOKEN);
  expect(text).toMatch(
    /\d\d:\d\d:\d\d {2}✓ {2}night\/demo {2}big side {2}claude-opus-5 → demo-big {2}in \d+ out \d+ {2}\$/,
  );
  expect(text).toMatch(/✗ {2}night\/demo {2}400 invalid_request_error: model/);
  expect(terminal.shown()).toMatch(/38;5;\d+mnight/);
  expect(terminal.shown()).toMatch(/\[32m✓/);
  expect(text).toContain('\\x1b[2J');
  expect(terminal.shown()).not.toContain('\u{1b}[2J');
  for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(100);
});

test.runIf(hasPseudoTerminal).each([
  [{ TERM: 'xterm-256color', NO_COLOR: '1' }, false],
  [{ TERM: 'dumb' }, false],
  [{ TERM: 'dumb', FORCE_COLOR: '1' }, true],
])('with %j the same lines have colours: %s', async (environment, coloured) => {
  const shown = await startInTerminal(environment as Record<string, string>);
  await ask(shown.url, 'claude-opus-5');
  await shown.terminal.waitFor(/claude-opus-5[^\n]*\n/);
  expect(shown.terminal.shown().includes(COLOUR)).toBe(coloured);
  expect(linesOf(shown).join('\n')).toMatch(/✓ {2}night\/demo {2}big side {2}claude-opus-5 → demo-big/);
});

test.runIf(hasPseudoTerminal)(
  'a terminal that is stopped stops no request, and shows them all when it goes on',
  async () => {
    const shown = await startInTerminal({ TERM: 'xterm' });
    const linesShown = () => linesOf(shown).filter((line) => line.includes('claude-opus-5')).length;
    shown.terminal.press(CONTROL.s);
    let asked = 0;
    // The line of an answer comes a little after it; from some on they do not come at all.
    for (; asked - linesShown() < 10; asked += 1) await ask(shown.url, 'claude-opus-5');
    shown.terminal.press(CONTROL.q);
    await waitUntil('all are shown', async () => linesShown() === asked);
  },
);

test('without a terminal there are the plain lines only, and requests stand in the log as JSON', async () => {
  const binary = await startBinary({ PROVIDER: 'demo' });
  cleanUps.push(() => binary.stop());
  await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
  binary.process.kill('SIGTERM');
  await binary.exited;
  expect(binary.output()).toMatch(/^\d{4}-\d\d-\d\dT\S+ info test: listening on /);
  expect(binary.output()).not.toContain(COLOUR);
  expect(binary.output()).not.toContain('claude-opus-5');
});
