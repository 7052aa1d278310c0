import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Target } from './target.ts';

const NOTHING_SPECIAL = { environment: {}, files: {}, path: '/v1/messages', headers: {}, skip: [] };

export const DIRECT = 'direct';
export const FLOOR = 'floor';
export const PROXY = 'claude-code-proxy';
/** The same with a provider that speaks the Responses API. */
export const RESPONSES = 'claude-code-proxy, Responses API';

/** The same with a model that sees pictures, and with one that does not: with another that describes them, and with nobody. */
export const SEEN = 'claude-code-proxy, pictures passed on';
export const DESCRIBED = 'claude-code-proxy, pictures described';
export const UNSEEN = 'claude-code-proxy, pictures unseen';
/** The same with a key that clients must have, and with a provider in front that is always down. */
export const GUARDED = 'claude-code-proxy, with a key';
export const FAILING = 'claude-code-proxy, first provider down';

/** What only targets of their own can do. */
const SPECIAL = ['S9', 'S14', 'S15'];

/** What is about the manager, or settings of ours. */
const OF_OURS = ['S17', 'S18', 'S19'];

/** Where the protocol of the provider makes a difference. */
const OF_A_PROTOCOL = ['S1', 'S2', 'S3', 'S3 2 MB'];

const envFile = [
  'PORT=${PORT}',
  'OPENAI_BASE_URL=${UPSTREAM}/v1',
  'OPENAI_API_KEY=bench',
  'BIG_MODEL=bench',
  'SMALL_MODEL=bench',
  'LOG_DIR=${WORK}/logs',
  'STATE_DIR=${WORK}/state',
];

/** A breaker that never opens, so that each request is refused by the first provider and answered by the second. */
const failingLines = ['PROVIDERS_FILE=${WORK}/providers.json', 'BREAKER_FAILURES=1000', 'BREAKER_WINDOW=1'];
const failingProviders = JSON.stringify({
  providers: ['/down', ''].map((path, index) => ({
    name: path === '' ? 'second' : 'first',
    priority: index + 1,
    base_url: `\${UPSTREAM}${path}/v1`,
    api_key: 'bench',
    models: { big: 'bench', small: 'bench' },
  })),
});

/** Another proxy for some scenarios alone, with further lines in its env file. */
function variant(
  binary: string,
  name: string,
  only: readonly string[],
  lines: readonly string[],
  env = envFile,
): Target {
  const files = { '${WORK}/bench.env': `${[...env, ...lines].join('\n')}\n` };
  return { ...NOTHING_SPECIAL, name, only, command: [binary, '--env', '${WORK}/bench.env'], files };
}

function failing(binary: string): Target {
  const own = envFile.filter((line) => !/^(?:OPENAI|BIG|SMALL)_/.test(line));
  const target = variant(binary, FAILING, ['S15'], failingLines, own);
  return { ...target, files: { ...target.files, '${WORK}/providers.json': failingProviders } };
}

/** The upstream itself, without a proxy in between. */
export const directTarget: Target = { ...NOTHING_SPECIAL, name: DIRECT, skip: SPECIAL };

/** What is always measured. */
export function builtInTargets(binary: string): readonly Target[] {
  // As JavaScript, or the floor's start and memory would hold the compiler.
  const floor = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, '../floor.ts'), 'utf8'));
  return [
    directTarget,
    {
      ...NOTHING_SPECIAL,
      name: FLOOR,
      command: [process.execPath, '${WORK}/floor.mjs', '${PORT}', '${UPSTREAM_PORT}'],
      files: { '${WORK}/floor.mjs': floor },
      skip: [...SPECIAL, ...OF_OURS],
    },
    {
      ...NOTHING_SPECIAL,
      name: PROXY,
      command: [binary, '--env', '${WORK}/bench.env'],
      files: { '${WORK}/bench.env': `${envFile.join('\n')}\n` },
      skip: SPECIAL,
    },
    variant(binary, RESPONSES, OF_A_PROTOCOL, ['PROTOCOL=responses']),
    variant(binary, SEEN, ['S9'], []),
    variant(binary, DESCRIBED, ['S9'], ['QUIRK_VISION=0', 'VISION_MODEL=bench-seer']),
    variant(binary, UNSEEN, ['S9'], ['QUIRK_VISION=0']),
    variant(binary, GUARDED, ['S14'], ['CLAUDE_PROXY_AUTH_KEY=bench']),
    failing(binary),
  ];
}
