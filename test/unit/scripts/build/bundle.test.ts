import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { isBuiltin } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../../bench/processes/freePort.ts';
import { bundle, stubbedForPackages, stubbedModules } from '../../../../scripts/build/bundler.ts';
import { LATER_CHUNKS } from '../../../../src/permissions/sandbox.ts';
import { listRequires } from './listRequires.ts';

const root = resolve(import.meta.dirname, '../../../..');
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bundle-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('what is imported later on stands in a file of its own beside the entry, which holds the version', async () => {
  writeFileSync(join(directory, 'later.ts'), 'export const answer: string = "later";');
  writeFileSync(
    join(directory, 'main.ts'),
    `declare const __VERSION__: string;
     class Named {}
     import('./later.ts').then(({ answer }) => console.log(typeof __VERSION__, __VERSION__, Named.name, answer));`,
  );
  const output = join(directory, 'out', 'main.cjs');
  const size = await bundle(join(directory, 'main.ts'), output, '1.2.3');
  expect(readdirSync(join(directory, 'out'))).toEqual(['later.cjs', 'main.cjs']);
  expect(readFileSync(output).length + readFileSync(join(directory, 'out', 'later.cjs')).length).toBe(size);
  expect(execFileSync(process.execPath, [output], { encoding: 'utf8' })).toBe('string 1.2.3 Named later\n');
});

test('an import that cannot be found fails the bundle', async () => {
  writeFileSync(join(directory, 'main.ts'), "import { nothing } from 'no-such-package'; console.log(nothing);");
  const bundling = bundle(join(directory, 'main.ts'), join(directory, 'main.cjs'), '1.2.3');
  await expect(bundling).rejects.toThrow('no-such-package');
});

/** Bundles a program of one module and runs it. */
async function runProgram(source: string): Promise<string> {
  const entry = join(directory, 'main.cjs');
  writeFileSync(entry, source);
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const output = join(directory, 'out', 'main.cjs');
  await bundle(entry, output, '1.2.3');
  return (await promisify(execFile)(process.execPath, [output])).stdout;
}

test('characters beyond ASCII are written as their numbers, and where that cannot be the bundle fails', async () => {
  writeFileSync(join(directory, 'main.ts'), 'console.log("é", `ü${1}`, /[ß-ÿ]+/.exec("aö")?.[0]);');
  const output = join(directory, 'out', 'main.cjs');
  await bundle(join(directory, 'main.ts'), output, '1.2.3');
  expect(readFileSync(output, 'latin1')).not.toMatch(/[\u0080-\u00ff]/);
  expect(execFileSync(process.execPath, [output], { encoding: 'utf8' })).toBe('é ü1 ö\n');
  writeFileSync(join(directory, 'main.ts'), '/*! Wärting */ console.log(1);');
  await expect(bundle(join(directory, 'main.ts'), output, '1.2.3')).rejects.toThrow('main.cjs is not plain ASCII: ä');
});

/**
 * A script that runs the bundle in a folder as the executable does, and ends where it would execute itself again or when it listens: it
 * prints which of the modules that the executable loads late have been loaded by then.
 */
function withAssets(folder: string): string {
  const begin = join(root, 'scripts', 'build', 'executableMain.cjs');
  return `
    const { readFileSync } = require('node:fs');
    const Module = require('node:module');
    const { Server } = require('node:net');
    const bytesOf = (text) => new Uint8Array(Buffer.from(text)).buffer;
    const getRawAsset = (name) => bytesOf(name.endsWith('.cache') ? '' : '(function (exports, require, module) {'
      + readFileSync(${JSON.stringify(`${folder}/`)} + name, 'latin1') + '\\n})');
    const load = Module._load;
    Module._load = (name, ...more) => (name === 'node:sea' ? { getRawAsset, getAssetKeys: () => [], isSea: () => true } : load(name, ...more));
    const end = () => {
      const late = ['crypto', 'tls', 'zlib'];
      process.stdout.write('\\n' + JSON.stringify(late.filter((name) => process.moduleLoadList.includes('NativeModule ' + name))));
      process.exit();
    };
    process.execve = end;
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...words) {
      if (words[0].port !== undefined) this.once('listening', () => setTimeout(end, 300));
      return listen.apply(this, words);
    };
    require(${JSON.stringify(begin)});`;
}

describe('the bundle of the proxy', () => {
  let folder = '';
  let chunks: string[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
    await bundle(join(root, 'src', 'main.ts'), join(folder, 'main.cjs'), '1.2.3');
    chunks = readdirSync(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('asks for nothing but its own chunks and the modules of Node', () => {
    // What asks for the health is loaded by a process with all rights.
    expect(chunks).toEqual(['healthProbe.cjs', 'main.cjs', ...LATER_CHUNKS].sort());
    const required = chunks.flatMap((name) => listRequires(readFileSync(join(folder, name), 'utf8')));
    expect(required).toContain('node:http');
    const own = new Set(required.filter((name) => !isBuiltin(name)));
    expect([...own].sort()).toEqual(chunks.map((name) => `./${name}`));
  });

  test('loads with its first part nothing that only an instance needs', () => {
    const required = listRequires(readFileSync(join(folder, 'main.cjs'), 'utf8'));
    expect(required).toContain('node:fs');
    expect(required.filter((name) => /http|net|zlib|stream|worker|child_process/.test(name))).toEqual([]);
  });

  test('goes without all that is listed as left out', () => {
    const code = readFileSync(join(folder, 'instance.cjs'), 'utf8');
    const before = code.split(' is left out of this program').slice(0, -1);
    const names = before.map((text) => /[^\s`"']*$/.exec(text.slice(-200))?.[0]);
    const listed = [...Object.values(stubbedForPackages).flat(), ...Object.keys(stubbedModules)];
    expect([...new Set(names)].sort()).toEqual(listed.sort());
  });

  test.each<[what: string, permissionModel: string, expected: readonly string[]]>([
    ['a process that executes itself again', 'on', []],
    ['an instance whose provider is on this machine', 'off', ['crypto']],
  ])('%s loads of the modules that wait only what it uses', async (_what, permissionModel, expected) => {
    const port = await freePort();
    const provider = ['OPENAI_BASE_URL=http://127.0.0.1:9/v1', 'OPENAI_API_KEY=x', 'BIG_MODEL=x'];
    const kept = [`LOG_DIR=${directory}/logs`, `STATE_DIR=${directory}/state`];
    const env = join(directory, 'loads.env');
    writeFileSync(env, [`PORT=${port}`, ...provider, ...kept, `PERMISSION_MODEL=${permissionModel}`].join('\n'), {
      mode: 0o600,
    });
    const script = join(directory, 'loads.cjs');
    writeFileSync(script, withAssets(folder));
    const { stdout } = await promisify(execFile)(process.execPath, [script, '--env', env], { cwd: directory, env: {} });
    expect(JSON.parse(stdout.split('\n').at(-1) ?? '')).toEqual(expected);
  });

  test('does not load servers that it never starts', () => {
    const required = listRequires(readFileSync(join(folder, 'instance.cjs'), 'utf8'));
    expect(required).not.toContain('node:http2');
    expect(required).not.toContain('node:https');
  });
});

test.each([
  ['node:http2', "require('fastify')({ http2: true })"],
  ['node:https', "require('fastify')({ https: {} })"],
  ['light-my-request', "require('fastify')().inject('/').then(console.log)"],
  [
    '@fastify/ajv-compiler',
    "require('fastify')().get('/', { schema: { querystring: { type: 'object' } } }, () => {}).ready()",
  ],
  [
    '@fastify/fast-json-stringify-compiler',
    "require('fastify')().get('/', { schema: { response: { 200: { type: 'object' } } } }, () => {}).ready()",
  ],
  [
    'undici/lib/web/webidl',
    "new (require('undici').Agent)().dispatch({ origin: 'http://127.0.0.1:9', path: '/', method: 'POST', body: new FormData() }, { onResponseError(_, error) { throw error; } })",
  ],
])('what is left out of the bundle fails as soon as it is used: %s', async (name, source) => {
  await expect(runProgram(source)).rejects.toThrow(`${name}`);
});

test('of undici a tunnel through a network proxy is there', async () => {
  const asked: (string | undefined)[] = [];
  const networkProxy = createServer().on('connect', ({ url }, socket) => {
    asked.push(url);
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  networkProxy.listen(0, '127.0.0.1');
  await once(networkProxy, 'listening');
  onTestFinished(() => void networkProxy.close());
  const { port } = networkProxy.address() as AddressInfo;
  const output = await runProgram(`
    const { EnvHttpProxyAgent } = require('undici');
    new EnvHttpProxyAgent({ httpsProxy: 'http://127.0.0.1:${port}', noProxy: '' }).dispatch(
      { origin: 'https://provider.test', path: '/', method: 'GET' },
      {
        onRequestStart() {}, onResponseStart() {}, onResponseData() {}, onResponseEnd() {},
        onResponseError: (_, error) => console.log(error.message),
      },
    );`);
  expect(asked).toEqual(['provider.test:443']);
  expect(output).toContain('502');
});

test('of undici nothing else can be imported', async () => {
  const entry = join(directory, 'main.ts');
  writeFileSync(entry, "import { fetch } from 'undici'; console.log(fetch);");
  await expect(bundle(entry, join(directory, 'out', 'main.cjs'), '1.2.3')).rejects.toThrow(/"fetch" is not exported/);
});

test('requires are found in code and not in strings', () => {
  const code = 'require("a"); () => { require(`b`); import("c"); }; "require(\'d\')"; require(e); object.require("f");';
  expect(listRequires(code)).toEqual(['(computed)', 'a', 'b', 'c']);
});
