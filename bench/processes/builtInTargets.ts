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

/** What is about pictures alone. */
const OF_PICTURES = ['S9'];
const OF_ALL_ELSE = ['S1', 'S2', 'S3', 'S3 2 MB', 'S4', 'S5', 'S5 memory', 'S6', 'S7', 'S8', 'S8 count'];

/** Where the protocol of the provider makes no difference. */
const OF_ANY_PROTOCOL = ['S4', 'S5', 'S5 memory', 'S6', 'S7', 'S8', 'S8 count'];

const envFile = [
  'PORT=${PORT}',
  'OPENAI_BASE_URL=${UPSTREAM}/v1',
  'OPENAI_API_KEY=bench',
  'BIG_MODEL=bench',
  'SMALL_MODEL=bench',
  'LOG_DIR=${WORK}/logs',
  'STATE_DIR=${WORK}/state',
];

/** What is always measured. */
export function builtInTargets(binary: string): readonly Target[] {
  // As JavaScript, or the floor's start and memory would hold the compiler.
  const floor = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, '../floor.ts'), 'utf8'));
  return [
    { ...NOTHING_SPECIAL, name: DIRECT, skip: OF_PICTURES },
    {
      ...NOTHING_SPECIAL,
      name: FLOOR,
      command: [process.execPath, '${WORK}/floor.mjs', '${PORT}', '${UPSTREAM_PORT}'],
      files: { '${WORK}/floor.mjs': floor },
      skip: OF_PICTURES,
    },
    {
      ...NOTHING_SPECIAL,
      name: PROXY,
      command: [binary, '--env', '${WORK}/bench.env'],
      files: { '${WORK}/bench.env': `${envFile.join('\n')}\n` },
      skip: OF_PICTURES,
    },
    {
      ...NOTHING_SPECIAL,
      name: RESPONSES,
      command: [binary, '--env', '${WORK}/bench.env'],
      files: { '${WORK}/bench.env': `${[...envFile, 'PROTOCOL=responses'].join('\n')}\n` },
      skip: [...OF_ANY_PROTOCOL, ...OF_PICTURES],
    },
    ...[
      { name: SEEN, lines: [] },
      { name: DESCRIBED, lines: ['QUIRK_VISION=0', 'VISION_MODEL=bench-seer'] },
      { name: UNSEEN, lines: ['QUIRK_VISION=0'] },
    ].map(({ name, lines }) => ({
      ...NOTHING_SPECIAL,
      name,
      command: [binary, '--env', '${WORK}/bench.env'],
      files: { '${WORK}/bench.env': `${[...envFile, ...lines].join('\n')}\n` },
      skip: OF_ALL_ELSE,
    })),
  ];
}
