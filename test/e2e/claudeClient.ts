import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

/** The version that the expectations were seen with; set CLAUDE_BIN to try another. */
const VERSION = '2.1.328';
const CACHE = join(homedir(), '.cache', 'claude-code');
const BINARY = join(CACHE, 'node_modules/@anthropic-ai', `claude-code-${process.platform}-${process.arch}`, 'claude');

/** Path of the real client if it is there already. */
export function findClaude(): string | undefined {
  const named = process.env['CLAUDE_BIN'];
  if (named !== undefined && named !== '') return named;
  return existsSync(BINARY) ? BINARY : undefined;
}

/** Path of the real client, installed from npm into the user's cache when it is not there (about 370 MB). */
export function installClaude(): string {
  const found = findClaude();
  if (found !== undefined) return found;
  mkdirSync(CACHE, { recursive: true });
  execFileSync(
    'npm',
    ['install', '--prefix', CACHE, '--ignore-scripts', '--no-save', `@anthropic-ai/claude-code@${VERSION}`],
    { stdio: 'inherit' },
  );
  return BINARY;
}

export interface ClaudeRun {
  readonly exitCode: number | null;
  /** What claude said at the end. */
  readonly text: string;
  readonly stderr: string;
  readonly usage: Record<string, number>;
  /** The content blocks of the assistant, in their order. */
  readonly blocks: readonly Readonly<Record<string, unknown>>[];
}

export interface ClaudeOptions {
  /** Working folder; a new one when absent. */
  readonly folder?: string;
  /** Home folder, which keeps the sessions; a new one when absent. */
  readonly home?: string;
  readonly allowedTools?: string;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A folder that is removed when the test ends. */
export function workFolder(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

/** The environment of a client with a home of its own, which talks to nothing but the instance. */
export function claudeEnvironment(baseUrl: string, home: string): Record<string, string> {
  const temporary = join(home, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    TMPDIR: temporary,
    CLAUDE_CODE_TMPDIR: temporary,
    LANG: 'C.UTF-8',
    ANTHROPIC_BASE_URL: baseUrl,
    ANTHROPIC_AUTH_TOKEN: 'any-token',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    IS_SANDBOX: '1',
  };
}

/** Runs `claude -p` with a home of its own against an instance. */
export async function runClaude(baseUrl: string, prompt: string, options: ClaudeOptions = {}): Promise<ClaudeRun> {
  const allowed = options.allowedTools === undefined ? [] : ['--allowedTools', options.allowedTools];
  const words = ['-p', '--output-format', 'stream-json', '--verbose', ...allowed, ...(options.arguments ?? [])];
  const child = spawn(installClaude(), words, {
    cwd: options.folder ?? workFolder(),
    env: { ...claudeEnvironment(baseUrl, options.home ?? workFolder()), ...options.environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes) => {
    stdout += bytes;
  });
  child.stderr.on('data', (bytes) => {
    stderr += bytes;
  });
  child.stdin.end(prompt);
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
  const result = events.findLast((event) => event.type === 'result');
  return {
    exitCode,
    text: result?.result ?? '',
    usage: result?.usage ?? {},
    stderr,
    blocks: events.flatMap((event) => (event.type === 'assistant' ? event.message.content : [])),
  };
}
