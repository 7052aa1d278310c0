import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { capableModel } from '../helpers/capableModel.ts';
import { type FakeUpstream, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { hasPseudoTerminal, runInTerminal, type TerminalProgram } from '../helpers/pseudoTerminal.ts';
import { createProject, freePort, type TemporaryProject } from './temporaryProject.ts';

const KEY = 'sk-canary-of-the-provider-1234567890';
const BINARY = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');

let project: TemporaryProject;
let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startFakeUpstream({ capable: capableModel });
  project = await createProject({ binary: BINARY });
});
afterAll(async () => {
  await project.dispose();
  await upstream.close();
});

const envFile = (name: string) => join(project.root, 'envs', `${name}.env`);
const envFiles = async () => (await readdir(dirname(envFile('')))).filter((name) => !name.endsWith('.example'));
const permissions = async (path: string) => (await stat(path)).mode & 0o777;

/**
 * A server of a user's own that wants a key and answers each request in a few words; gives the address of its API, and that of the
 * same without a list of models.
 */
async function startModelServer(key?: string, port = 0): Promise<{ origin: string; url: string; chatOnly: string }> {
  const piece = (delta: object, finish_reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  const server = createServer((request, response) => {
    request.resume();
    const isServed = request.url === '/v1/models' || request.url?.endsWith('/chat/completions') === true;
    if (key !== undefined && isServed && request.headers.authorization !== `Bearer ${key}`) {
      response.writeHead(401).end('{"error":{"message":"Incorrect API key provided"}}');
    } else if (request.url === '/v1/models') {
      response.end('{"data":[{"id":"big-model","max_model_len":40960}]}');
    } else if (request.url === '/v1/chat/completions' || request.url === '/plain/chat/completions') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(
        `${piece({ role: 'assistant', content: '1 ' })}${piece({ content: '2' })}${piece({}, 'stop')}data: [DONE]\n\n`,
      );
    } else response.writeHead(404).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, url: `${origin}/v1`, chatOnly: `${origin}/plain` };
}

// One story, in order.
describe('without a terminal', () => {
  test('list before anything says what to do', async () => {
    const { code, stdout, stderr } = await project.manage(['list']);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: '',
      stderr: 'There are no instances yet; make one with: ./manage init\n',
    });
  });

  test('providers: a table, one in full, JSON, and the nearest name', async () => {
    expect((await project.manage(['providers'])).stdout).toMatch(/^kimi +Kimi \(Moonshot AI\) .* \d{4}-\d\d-\d\d$/m);
    const { stdout } = await project.manage(['providers', 'moonshot']);
    expect(stdout).toContain('https://platform.kimi.ai/console/api-keys');
    expect(stdout).toMatch(/^kimi-k2\.6 +small +262,144/m);
    const { schema, providers } = JSON.parse((await project.manage(['providers', 'kimi', '--json'])).stdout);
    expect({ schema, name: providers[0].name, checked: typeof providers[0].checked }).toEqual({
      schema: 1,
      name: 'kimi',
      checked: 'string',
    });
    const { code, stderr } = await project.manage(['providers', 'kimmi']);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no provider "kimmi"; did you mean "kimi"?');
  });

  test('add: the key comes from stdin, goes into a file for the owner only, and is never shown', async () => {
    const words = ['add', 'openai', '--as', 'work', '--stdin', '--json'];
    const { code, stdout, stderr } = await project.manage(words, {}, `${KEY}\n`);
    expect(JSON.parse(stdout)).toEqual({
      schema: 1,
      name: 'work',
      port: expect.any(Number),
      provider: 'openai',
      env_file: 'envs/work.env',
    });
    expect(stderr).toMatch(/^Made envs\/work\.env for OpenAI on port \d+\. Start it: \.\/manage start work$/m);
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(KEY);
    expect(await readFile(envFile('work'), 'utf8')).toContain(`\nOPENAI_API_KEY=${KEY}\n`);
    expect(await permissions(envFile('work'))).toBe(0o600);
  });

  test('add never changes a file that exists', async () => {
    const before = await readFile(envFile('work'), 'utf8');
    const { code, stderr } = await project.manage(['add', 'groq', '--as', 'work', '--stdin'], {}, KEY);
    expect(code).toBe(2);
    expect(stderr).toContain('envs/work.env is there already and is not changed');
    expect(stderr).toContain('to correct its key: ./manage key work');
    expect(stderr).toContain('--as work-2');
    expect(await readFile(envFile('work'), 'utf8')).toBe(before);
  });

  test.each([
    [['add', 'openai'], 'give it with --stdin < FILE, or go without one with --no-input'],
    [['add', 'custom', '--no-input'], 'this provider needs --url URL'],
    [['add', 'ollama', '--no-input'], 'this provider needs --model MODEL'],
    [['add', 'openai', '--as', 'My Work', '--no-input'], '"My Work" cannot be the name of an instance'],
    [['add', 'kimi', '--region', 'eu', '--no-input'], 'kimi has international, cn'],
    [['add', 'openai', '--region', 'cn', '--no-input'], 'there is no region "cn"; openai has none'],
    [
      ['add', 'llamacpp', '--url', 'http://127.0.0.1:8/v1', '--port', '8', '--model', 'm', '--no-input'],
      'port 8 is that of the server at http://127.0.0.1:8/v1; choose another by --port',
    ],
    [['init'], 'there is no terminal to ask on; name the provider'],
    [['remove', 'work'], 'to do it without: ./manage remove work --yes'],
    [['edit', 'work'], './manage edit needs a terminal; the file is'],
    [['edit', 'wrok'], 'there is no instance "wrok"'],
    [['remove', 'wrok', '--yes'], 'did you mean "work"?'],
  ])('%j is refused with 2, at once', async (words, message) => {
    const before = await envFiles();
    const { code, stderr } = await project.manage(words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(await envFiles()).toEqual(before);
  });

  test('add refuses the port of another instance, and one that is taken', async () => {
    const { instances } = JSON.parse((await project.manage(['list', '--json'])).stdout);
    const refuse = (port: number) => project.manage(['add', 'demo', '--as', 'two', '--port', String(port)]);
    expect((await refuse(instances[0].port)).stderr).toContain('stands in another env file');
    expect((await refuse(Number(new URL(upstream.url).port))).stderr).toContain('is taken by another program');
  });

  test('add refuses settings with which no instance could start, and writes nothing', async () => {
    const { code, stderr } = await project.manage(['add', 'custom', '--url', 'nowhere', '--model', 'm', '--no-input']);
    expect(code).toBe(78);
    expect(stderr).toMatch(/envs\/custom\.env:\d+ {2}OPENAI_BASE_URL/);
    expect(await envFiles()).toEqual(['work.env']);
  });

  test('add takes the word for the address in no region, and where the server has its API below its address', async () => {
    const dry = (...words: string[]) => project.manage(['add', ...words, '--no-input', '--dry-run']);
    const kimi = await dry('kimi', '--region', 'international');
    expect([kimi.code, kimi.stdout]).toEqual([0, expect.stringMatching(/^#REGION=/m)]);
    const { origin } = await startModelServer();
    const custom = await dry('custom', '--url', origin.slice('http://'.length));
    expect([custom.code, custom.stdout]).toEqual([0, expect.stringContaining(`\nOPENAI_BASE_URL=${origin}/v1\n`)]);
  });

  test('add --dry-run shows the file, the key masked, and writes nothing', async () => {
    const { code, stdout } = await project.manage(['add', 'groq', '--stdin', '--dry-run'], {}, KEY);
    expect(code).toBe(0);
    expect(stdout).toContain('PROVIDER=groq\n');
    expect(stdout).toContain('GROQ_API_KEY=****7890\n');
    expect(await envFiles()).toEqual(['work.env']);
  });

  test('list: names, models, masked keys, and what is wrong', async () => {
    await writeFile(envFile('broken'), 'PROVIDER=demo\nPORT=banana\n', { mode: 0o600 });
    const { code, stdout, stderr } = await project.manage(['list']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^work +openai +\d+ .* \*{4}7890 +ok$/m);
    expect(stdout).toMatch(/^broken .* 1 error$/m);
    expect(stderr).toContain('envs/broken.env:2  PORT');
    const { schema, instances } = JSON.parse((await project.manage(['list', '--json'])).stdout);
    expect(schema).toBe(1);
    expect(instances).toMatchObject([
      { name: 'broken', sound: false },
      { name: 'work', sound: true, provider: 'openai', key: '****7890' },
    ]);
    await project.manage(['remove', 'broken', '--yes']);
  });

  test('init PROVIDER --stdin: file, start, test and the line to run, without a question', async () => {
    const words = ['init', 'custom', '--as', 'mine', '--url', upstream.url, '--model', 'capable', '--stdin'];
    const { code, stdout, stderr } = await project.manage(words, {}, KEY);
    expect(stderr).toMatch(/^Made envs\/mine\.env /m);
    expect(stderr).toMatch(/^mine up on 127\.0\.0\.1:\d+ in /m);
    expect(stdout).toMatch(/^key +ok /m);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^Use it: /);
    expect(stdout + stderr).not.toContain(KEY);
    expect(code).toBe(0);
    expect(await permissions(envFile('mine'))).toBe(0o600);
  });

  test('init of the provider without key needs no input at all', async () => {
    const { code, stderr } = await project.manage(['init', 'demo', '--as', 'show']);
    expect(stderr).toMatch(/^Use it: /m);
    expect(code).toBe(0);
  });

  test('init of a provider whose env file nobody has filled in fills it in; the instance takes it over', async () => {
    const text = `PROVIDER=custom\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\nBIG_MODEL=m\nPORT=${await freePort()}\n`;
    await writeFile(`${envFile('custom')}.example`, text);
    expect((await project.manage(['start', 'custom'])).code).toBe(0);
    expect(await readFile(envFile('custom'), 'utf8')).toBe(text);

    const words = ['init', 'custom', '--url', upstream.url, '--model', 'capable', '--stdin'];
    const init = () => project.manage(words, {}, KEY);
    const { code, stdout, stderr } = await init();
    expect(stderr).toMatch(/^Filled in envs\/custom\.env for .* on port \d+\.$/m);
    expect(stdout).toMatch(/^key +ok /m);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('Use it: ./manage run custom');
    expect(code).toBe(0);
    expect(await readFile(envFile('custom'), 'utf8')).toContain(`\nOPENAI_API_KEY=${KEY}\n`);
    expect(await permissions(envFile('custom'))).toBe(0o600);

    const again = await init();
    expect(again.stderr).toContain('envs/custom.env is there already and is not changed');
    expect(again.code).toBe(2);
  });

  test('init whose test fails says so, and what to do', async () => {
    const words = ['init', 'custom', '--as', 'wrong', '--url', upstream.url, '--model', 'gone', '--stdin'];
    const { code, stderr } = await project.manage(words, {}, KEY);
    expect(stderr).toContain('The test failed. Change the settings with ./manage edit wrong');
    expect(stderr).not.toContain('Use it: ');
    expect(code).toBe(1);
  });

  test('remove --dry-run does nothing', async () => {
    const { code, stderr } = await project.manage(['remove', 'show', '--dry-run']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'Would stop show and keep envs/show.env under another name.\n',
    });
    expect((await project.status()).find(({ name }) => name === 'show')?.state).toBe('serving');
  });

  test('remove --yes stops the instance and keeps the file for the owner only', async () => {
    const text = await readFile(envFile('mine'), 'utf8');
    const { code, stderr } = await project.manage(['remove', 'mine', '--yes']);
    expect(code).toBe(0);
    expect(stderr).toContain('mine stopped');
    const backup = /is now (envs\/mine\.env\.removed-\d{8}-\d{6});/.exec(stderr)?.[1] ?? '';
    expect(await readFile(join(project.root, backup), 'utf8')).toBe(text);
    expect(await permissions(join(project.root, backup))).toBe(0o600);
    expect((await project.status()).map(({ name }) => name)).not.toContain('mine');
    expect(JSON.parse((await project.pm2(['jlist'])).stdout).map(({ name }: { name: string }) => name)).not.toContain(
      'mine',
    );
  });
});

describe.runIf(hasPseudoTerminal)('in a terminal', () => {
  let program: TerminalProgram | undefined;

  afterEach(async () => {
    if (program?.process.exitCode === null) await program.stop();
  });

  /** Runs a shell line in a terminal, in which `manage` is the command. */
  function type(line: string, environment: Record<string, string> = {}) {
    const manage = `${process.execPath} ${join(project.root, 'scripts', 'manage.ts')}`;
    program = runInTerminal(['/bin/sh', '-c', line.replace('manage', manage)], {
      columns: 100,
      folder: project.root,
      environment: { HOME: dirname(project.root), PM2_HOME: project.pm2Home, TERM: 'xterm', ...environment },
    });
    const { process: child, waitFor, shown } = program;
    const closed = new Promise<number | null>((done) => child.once('close', done));
    const answer = async (question: RegExp, text: string) => {
      await waitFor(question);
      child.stdin?.write(text);
    };
    return { answer, closed, shown };
  }

  test('init asks for what it needs, checks each answer, shows no key, and ends with the line to run', async () => {
    const { answer, closed, shown } = type(`manage init --as guided --port ${await freePort()}`);
    await answer(/Which provider\?/, 'cutsom\r');
    await answer(/Nothing is called so/, '\u0015custom\r');
    await answer(/Address of the server, such as http:/, 'foo\r');
    await answer(/Found "foo"\. Set an http[\s\S]* is missing/, `\u0015${upstream.url}\r`);
    await answer(/it is not shown, Enter for none/, 'OPENAI_API_KEY= sk\r');
    await answer(/A key has no blanks in it/, `\u0015${KEY}\r`);
    await answer(/Got 36 characters, which end in 7890\.[\s\S]*Name of the model/, 'capable\r');
    await answer(/Context window in tokens, .* \(Enter for 64000\)/, '64x\r');
    await answer(/Found "64x"/, '\u001532k\r');
    expect(await closed).toBe(0);
    expect(shown()).not.toContain(KEY);
    expect(shown()).toMatch(/Good to know:[\s\S]*manage set guided WEB_SEARCH=searxng[\s\S]*Use it: /);
    const text = await readFile(envFile('guided'), 'utf8');
    expect(text).toContain(`OPENAI_API_KEY=${KEY}`);
    expect(text).toContain('\nQUIRK_CONTEXT_WINDOW=32000\n');
  });

  test('init offers the models of a server, writes the window that it has, and asks again for a refused key', async () => {
    const server = await startModelServer('sk-the-right-key-0123456789');
    const words = `manage init custom --as own --url ${server.url} --port ${await freePort()}`;
    const { answer, closed, shown } = type(words);
    await answer(/it is not shown, Enter for none/, 'sk-the-wrong-key-0123456789\r');
    await answer(/The server refuses this key\. Another one\? \(Enter keeps it\)/, 'sk-the-right-key-0123456789\r');
    await answer(/Which model\?[\s\S]*big-model {2}\(40,960 tokens\)/, '\r');
    await closed;
    expect(shown()).toContain('The server has a context window of 40,960 tokens for this model.');
    const text = await readFile(envFile('own'), 'utf8');
    expect(text).toContain('\nBIG_MODEL=big-model\nQUIRK_CONTEXT_WINDOW=40960\n');
    expect(text).toContain('\nOPENAI_API_KEY=sk-the-right-key-0123456789\n');
  });

  test('a server that is off is said, and asked again; one without a key works, also with claude', async () => {
    const port = await freePort();
    const { answer, closed, shown } = type('manage init custom --as keyless');
    await answer(/Address of the server, such as http:/, `127.0.0.1:${port}\r`);
    await answer(/it is not shown, Enter for none/, '\r');
    await answer(/Nothing listens at http:\/\/127[\s\S]*\(Enter keeps this one\)/, `localhost:${port}\r`);
    await answer(/Nothing listens at http:\/\/localhost[\s\S]*\(Enter keeps this one\)/, '');
    const { url } = await startModelServer(undefined, port);
    await answer(/\(Enter keeps this one\)/, `\u0015${url.slice(0, -'/v1'.length)}\r`);
    await answer(/Which model\?/, '\r');
    expect(await closed).toBe(0);
    expect(shown()).toMatch(/Use it: /);
    const text = await readFile(envFile('keyless'), 'utf8');
    expect(text).toContain(`\nOPENAI_BASE_URL=${url}\nBIG_MODEL=big-model\n`);
    expect(text).toContain('\nOPENAI_API_KEY=unused\n');
    const { code, stdout } = await project.manage(['run', 'keyless', '--', '--version'], { CLAUDE_BIN: '/bin/echo' });
    expect([code, stdout]).toEqual([0, expect.stringContaining('--version')]);
  });

  test('a server that stays off: no line to run', async () => {
    const { answer, closed, shown } = type(`manage init ollama --url http://127.0.0.1:${await freePort()}/v1`);
    await answer(/Nothing listens at http:[\s\S]*\(Enter keeps this one\)/, '\r');
    await answer(/Name of the model/, 'm\r');
    await answer(/Context window in tokens/, '\r');
    expect(await closed).toBe(1);
    expect(shown()).not.toMatch(/Use it: |does not list its models/);
  });

  test('a key that the test finds refused is asked for again; what does not work is not called usable', async () => {
    const server = await startModelServer('sk-the-right-key-0123456789');
    const begin = async (name: string) =>
      type(`manage init custom --as ${name} --url ${server.chatOnly} --model m --port ${await freePort()}`);
    const repaired = await begin('repaired');
    await repaired.answer(/it is not shown, Enter for none/, 'sk-the-wrong-key-0123456789\r');
    await repaired.answer(/Context window in tokens/, '\r');
    await repaired.answer(/refuses this key\. Another one\? \(Enter keeps it\)/, 'sk-the-right-key-0123456789\r');
    expect(await repaired.closed).toBe(0);
    expect(repaired.shown()).toMatch(/Use it: /);
    expect(await readFile(envFile('repaired'), 'utf8')).toContain('OPENAI_API_KEY=sk-the-right-key-0123456789\n');

    const kept = await begin('kept');
    await kept.answer(/it is not shown, Enter for none/, 'sk-the-wrong-key-0123456789\r');
    await kept.answer(/Context window in tokens/, '\r');
    await kept.answer(/refuses this key\. Another one\? \(Enter keeps it\)/, '\r');
    expect(await kept.closed).toBe(1);
    expect(kept.shown()).toContain('The key was refused. Give another: ./manage key kept, then: ./manage test kept');
    expect(kept.shown()).not.toMatch(/Use it: /);
  });

  test('Ctrl-C at the key leaves at once with 130; the echo is back and nothing is written', async () => {
    const before = await envFiles();
    const { answer, closed, shown } = type('manage add groq; echo "status $?"; stty -a');
    await answer(/Enter for none/, 'sk-half\u0003');
    await closed;
    expect(shown()).toContain('Stopped; nothing was written.');
    expect(shown()).toContain('status 130');
    expect(shown()).toMatch(/[ ;]icanon/);
    expect(shown()).toMatch(/ echo /);
    expect(shown()).not.toContain('sk-half');
    expect(await envFiles()).toEqual(before);
  });

  test('add asks for the region where the provider has several', async () => {
    const { answer, closed } = type('manage add kimi --as china');
    await answer(/Where is your key from\?[\s\S]*api\.moonshot\.ai; keys from platform\.kimi\.ai/, 'europe\r');
    await answer(/Nothing is called so/, '\u0015cn\r');
    await answer(/Enter for none/, '\r');
    expect(await closed).toBe(0);
    expect(await readFile(envFile('china'), 'utf8')).toContain('\nREGION=cn\n');
  });

  test('remove asks, and Enter alone means no', async () => {
    const { answer, closed, shown } = type('manage remove guided');
    await answer(/Stop guided and put envs\/guided\.env aside\? \[y\/N\] $/, '\r');
    expect(await closed).toBe(1);
    expect(shown()).toContain('Cancelled; nothing was changed.');
    expect(await envFiles()).toContain('guided.env');
  });

  test('edit opens the editor on the terminal and takes what is right', async () => {
    const editor = join(project.root, 'editor.sh');
    await mkdir(dirname(editor), { recursive: true });
    await writeFile(editor, '#!/bin/sh\ntest -t 0 && test -t 1 && echo MAX_RETRIES=1 >> "$1"\n', { mode: 0o755 });
    const { closed, shown } = type('manage edit guided', { EDITOR: editor });
    expect(await closed).toBe(0);
    expect(shown()).toContain('Saved envs/guided.env');
    expect(await readFile(envFile('guided'), 'utf8')).toMatch(/MAX_RETRIES=1\n$/);
    expect(await permissions(envFile('guided'))).toBe(0o600);
  });
});
