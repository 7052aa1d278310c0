import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A llama-server that can be run: with these words first, and in this environment. */
export interface Program {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Why there is none. */
export interface Missing {
  readonly reason: string;
}

/** The version that the expectations were seen with, of Debian's unstable distribution; set LLAMA_SERVER to try another. */
const VERSION = '0.7.0';
const DISTRIBUTION = 'sid';
const SERVER_PACKAGE = 'llama.cpp-tools';
/** The server and every library that it loads, the C library too: it runs whatever the machine's own is. */
const PACKAGES = [
  SERVER_PACKAGE,
  'libllama0',
  'libggml0',
  'libc6',
  'libstdc++6',
  'libgcc-s1',
  'libgomp1',
  'libssl3t64',
  'zlib1g',
  'libzstd1',
];
const CACHE = join(homedir(), '.cache', 'llama-server');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const PATIENCE_MS = 120_000;

function run(program: string, words: readonly string[], folder?: string): string {
  return execFileSync(program, words, { cwd: folder, encoding: 'utf8', timeout: PATIENCE_MS, stdio: 'pipe' });
}

/** What a program complained of, in one line. */
function complaintOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { stderr?: string };
  return /^E: (.*)$/m.exec(stderr)?.[1] ?? (stderr.trim().split('\n').at(-1) || message);
}

/** The address of the Debian mirror that this machine uses, as its own apt knows it. */
function findMirror(): string | undefined {
  return /'(https?:\/\/\S+\/debian)\/dists\//.exec(run('apt-get', ['update', '--print-uris']))?.[1];
}

/** Makes a configuration under which apt knows the distribution alone and touches nothing outside of the folder. */
function configureApt(folder: string, mirror: string): string {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  // The age of a mirror's list is no matter here, and its signature is checked.
  const signedBy = existsSync(KEYRING) ? ` signed-by=${KEYRING}` : '';
  writeFileSync(join(folder, 'sources.list'), `deb [check-valid-until=no${signedBy}] ${mirror} ${DISTRIBUTION} main\n`);
  const configuration = join(folder, 'apt.conf');
  writeFileSync(
    configuration,
    `#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Dir::State "${folder}";
Dir::State::status "${join(folder, 'status')}";
Dir::Cache "${folder}";
Dir::Etc::sourcelist "${join(folder, 'sources.list')}";
Dir::Etc::sourceparts "-";
`,
  );
  return configuration;
}

/** Fetches the packages and unpacks them into the folder; gives the reason where they cannot be had. */
function fetchPackages(root: string): Missing | undefined {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'fetching-'));
  try {
    const mirror = findMirror();
    if (mirror === undefined) return { reason: 'the sources of apt name no Debian mirror' };
    const configuration = configureApt(folder, mirror);
    run('apt-get', ['-c', configuration, 'update']);
    const facts = run('apt-cache', ['-c', configuration, 'show', SERVER_PACKAGE]);
    const version = /^Version: (?:\d+:)?([\d.]+)/m.exec(facts)?.[1];
    if (version !== VERSION) {
      return { reason: `the mirror has llama-server ${version}, and the expectations were seen with ${VERSION}` };
    }
    run('apt-get', ['-c', configuration, 'download', ...PACKAGES], folder);
    const unpacked = join(folder, 'root');
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.deb')) run('dpkg-deb', ['-x', join(folder, name), unpacked]);
    }
    // Of a distribution that moves, the packages of one day may not fit together.
    const [program = '', ...begin] = programIn(unpacked).command;
    run(program, [...begin, '--version']);
    renameSync(unpacked, root);
    return undefined;
  } catch (error) {
    return { reason: `the packages cannot be had: ${complaintOf(error)}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How to run what is unpacked there: by its own loader, so that it finds its own libraries. */
function programIn(root: string): Program {
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu');
  const processor = readFileSync('/proc/cpuinfo', 'utf8').includes(' avx2 ') ? 'haswell' : 'x64';
  return {
    command: [
      join(libraries, 'ld-linux-x86-64.so.2'),
      '--library-path',
      [libraries, join(libraries, 'llama')].join(':'),
      join(root, 'usr/bin/llama-server'),
    ],
    environment: { GGML_BACKEND_PATH: join(libraries, `ggml/backends0/libggml-cpu-${processor}.so`) },
  };
}

/** llama-server, fetched from Debian's packages into the user's cache when it is not there (12 MB); needs no root. */
export function findLlamaServer(): Program | Missing {
  const named = process.env['LLAMA_SERVER'];
  if (named !== undefined && named !== '') return { command: [named], environment: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      reason: 'the packages are fetched on Linux with an x64 processor only; set LLAMA_SERVER to the path of your own',
    };
  }
  const root = join(CACHE, VERSION);
  const missing = existsSync(root) ? undefined : fetchPackages(root);
  return missing ?? programIn(root);
}
