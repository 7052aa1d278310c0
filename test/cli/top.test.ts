import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, message } from '../helpers/startApp.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';
import { hasTmux, isPrompting, openTerminal, type Terminal } from './terminal.ts';

let project: TemporaryProject;

beforeAll(async () => {
  project = await createProject({ binary: resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy') });
  const port = await project.addInstance('busy');
  await project.addInstance('resting');
  await project.addInstance('wrong', ['MAX_RETRIES=banana']);
  expect((await project.manage(['start', 'busy'])).code).toBe(0);
  await call(`http://127.0.0.1:${port}/v1/messages`, message('claude-opus-5'));
});
afterAll(() => project.dispose());

const top = (...words: string[]) => project.manage(['top', ...words]);
const jsonOf = async (...words: string[]) => JSON.parse((await top('--json', ...words)).stdout);

test('--json: what has just happened is there within seconds', async () => {
  await waitUntil('the request is counted', async () => (await jsonOf()).total.today.requests === 1);
  const { schema, instances, total } = await jsonOf();
  expect(schema).toBe(1);
  expect(instances.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
    ['busy', 'serving'],
    ['resting', 'not running'],
    ['wrong', 'wrong settings'],
  ]);
  expect(instances[0]).toMatchObject({
    in_flight: 0,
    waiting: 0,
    circuits: [{ provider: null, state: 'closed' }],
    today: { requests: 1, failed_requests: 0 },
  });
  expect(instances[0].recent.requests_per_second).toBeCloseTo(1 / 60);
  expect(instances[0].recent.output_tokens_per_second).toBeGreaterThan(0);
  expect(instances[0].recent.first_event_ms.p95).toBeGreaterThanOrEqual(0);
  expect(total.today.requests).toBe(1);
  expect((await jsonOf('resting')).instances).toHaveLength(1);
  expect((await top('restin')).code).toBe(2);
});

test('without a terminal the figures are printed once, without a single escape sequence', async () => {
  const { code, stdout, stderr } = await top();
  expect(stdout).toMatch(/^name +state +req\/s +tokens\/s/);
  expect(stdout).toMatch(/^busy +ready +0\.02 /m);
  expect(stdout).toMatch(/^total /m);
  expect(stdout).not.toContain('\u001b');
  expect([code, stderr]).toEqual([0, '']);
});

// Longer than a wait lasts, which says then for what.
describe.skipIf(!hasTmux)('on a terminal', { timeout: 100_000 }, () => {
  const COMMAND = `'${process.execPath}' scripts/manage.ts top`;

  async function open(columns = 120, rows = 20): Promise<Terminal> {
    const terminal = await openTerminal(
      project.root,
      { PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, PM2_HOME: project.pm2Home },
      { columns, rows },
    );
    await terminal.type('echo before');
    await until(terminal, 'the shell answers', (lines) => lines.includes('before'));
    return terminal;
  }

  const until = (terminal: Terminal, what: string, holds: (lines: string[]) => boolean) =>
    waitUntil(what, async () => holds(await terminal.screen()));
  const untilShown = async (terminal: Terminal) => {
    await until(terminal, 'the view is there', (lines) => lines.some((line) => line.startsWith('busy ')));
    expect(await terminal.modes()).toEqual({ alternate: true, cursor: false });
  };
  /** What is typed before the shell asks may be lost. */
  const untilPrompt = (terminal: Terminal) => until(terminal, 'the shell asks', isPrompting);
  const untilLeft = async (terminal: Terminal, status: number) => {
    await untilPrompt(terminal);
    await terminal.type('echo status $?');
    await until(terminal, `it has ended with ${status}`, (lines) => lines.includes(`status ${status}`));
  };

  let asked = 0;
  /** The shell's text is back, the cursor too, and typed letters are shown and make lines. */
  async function expectAsBefore(terminal: Terminal): Promise<void> {
    expect(await terminal.screen()).toContain('before');
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
    // Its own words each time, as those of the time before may still be on the screen.
    asked += 1;
    const file = join(project.root, 'stty');
    await terminal.type(`stty -a > '${file}'; echo written ${asked}`);
    await until(terminal, 'stty has answered', (lines) => lines.includes(`written ${asked}`));
    const settings = readFileSync(file, 'utf8');
    expect(settings).toMatch(/(?<!-)\bicanon\b/);
    expect(settings).toMatch(/(?<!-)\becho\b/);
    expect(settings).toMatch(/(?<!-)\bopost\b/);
  }

  test.each(['q', 'C-c', 'C-d'])('%s leaves it as it was', async (key) => {
    const terminal = await open();
    await terminal.type(COMMAND);
    await untilShown(terminal);
    await terminal.press(key);
    await untilLeft(terminal, 0);
    await expectAsBefore(terminal);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s leaves it as it was, and reports it to the shell', async (signal, status) => {
    const terminal = await open();
    await terminal.type(`sh -c 'echo $$ > pid; exec "$0" "$@"' ${COMMAND}`);
    await untilShown(terminal);
    process.kill(Number(readFileSync(join(project.root, 'pid'), 'utf8')), signal);
    await untilLeft(terminal, status);
    await expectAsBefore(terminal);
  });

  test('so does an error that nobody catches', async () => {
    const terminal = await open();
    const crash = `data:text/javascript,process.on('SIGUSR2',()=>{throw(new(Error)('planned'))})`;
    await terminal.type(`export NODE_OPTIONS="--import=${crash}"; clear; echo before`);
    await terminal.type(`sh -c 'echo $$ > pid; exec "$0" "$@"' ${COMMAND}`);
    await untilShown(terminal);
    process.kill(Number(readFileSync(join(project.root, 'pid'), 'utf8')), 'SIGUSR2');
    await untilLeft(terminal, 1);
    await expectAsBefore(terminal);
  });

  test('Ctrl-Z gives the terminal to the shell, fg takes it again', async () => {
    const terminal = await open();
    await terminal.type(COMMAND);
    await untilShown(terminal);
    await terminal.press('C-z');
    await untilPrompt(terminal);
    await expectAsBefore(terminal);
    await terminal.type('fg');
    await untilShown(terminal);
    await terminal.press('q');
    await untilLeft(terminal, 0);
    await expectAsBefore(terminal);
  });

  test('another size is painted anew, whole and without wrapped lines', async () => {
    const terminal = await open(120, 20);
    await terminal.type(COMMAND);
    await untilShown(terminal);
    await terminal.resize(50, 8);
    await until(
      terminal,
      'it is painted for 50 columns',
      (lines) => lines.length === 8 && lines[2]?.startsWith('name') === true,
    );
    const lines = await terminal.screen();
    expect(lines[2]).not.toContain('provider');
    expect(lines.filter((line) => line.startsWith('busy '))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('total '))).toHaveLength(1);
    await terminal.resize(120, 20);
    await until(terminal, 'it is painted for 120 columns', (wide) => wide[2]?.includes('provider') === true);
    expect((await terminal.screen()).filter((line) => line.startsWith('busy '))).toHaveLength(1);
  });

  test('a terminal that cannot be painted on gets the figures once', async () => {
    const terminal = await open();
    await terminal.type(`TERM=dumb ${COMMAND}`);
    await untilLeft(terminal, 0);
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
    expect((await terminal.screen()).some((line) => line.startsWith('busy '))).toBe(true);
  });
});
