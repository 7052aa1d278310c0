import { presets } from '../../../src/providers/index.ts';
import { createConsoleView } from '../../../src/telemetry/console/view.ts';
import type { RequestRecord } from '../../../src/telemetry/requestRecord.ts';
import { PICTURE_TIME } from './sampleInstances.ts';
import { terminalPicture } from './terminalPicture.ts';

const COLUMNS = 140;
const INSTANCE = 'work';

/** docs/pictures/console.svg: what the executable shows of its requests in a terminal. */
export function consolePicture(): string {
  const [first, second] = presets.filter(({ port, tiers }) => port !== undefined && tiers !== undefined);
  if (first?.tiers === undefined || second?.tiers === undefined) throw new Error('there are no presets to show');
  const columns = () => COLUMNS;
  const providers = [first.name, second.name];
  const view = createConsoleView({ instance: INSTANCE, providers, colours: 256, columns, redact: (text) => text });
  const { big, small } = first.tiers;
  const answered = { id: '', endpoint: '/v1/messages', stream: true, status: 200, outcome: 'ok' } as const;
  const records: readonly RequestRecord[] = [
    {
      ...{ ...answered, provider: first.name, tier: 'small', model: 'claude-haiku-4-5', upstreamModel: small },
      ...{ inputTokens: 412, outputTokens: 24, cost: 0.0005, firstEventMs: 410, durationMs: 690, attempts: 1 },
    },
    {
      ...{ ...answered, provider: first.name, tier: 'big', model: 'claude-opus-5', upstreamModel: big },
      ...{ inputTokens: 1210, cacheReadTokens: 38_400, outputTokens: 912, cost: 0.0192 },
      ...{ firstEventMs: 820, durationMs: 11_300, attempts: 1 },
    },
    {
      ...{ ...answered, provider: second.name, tier: 'big', model: 'claude-opus-5', upstreamModel: second.tiers.big },
      ...{ fallbacks: [{ from: `${first.name},${big}`, reason: '429' }], inputTokens: 40_900, outputTokens: 655 },
      ...{ cost: 0.0601, firstEventMs: 1240, durationMs: 9800, attempts: 2 },
    },
    {
      ...{ ...answered, provider: first.name, tier: 'big', model: 'claude-opus-5', upstreamModel: big },
      ...{
        status: 400,
        outcome: 'rejected',
        errorType: 'invalid_request_error',
        cost: 0,
        durationMs: 340,
        attempts: 1,
      },
      errorMessage: 'prompt is too long: 1060212 tokens > 1048576 maximum',
    },
  ];
  const lines = records.map((record, index) => view.request(PICTURE_TIME + index * 14_000, record));
  return terminalPicture(`dist/claude-code-proxy --env envs/${INSTANCE}.env`, lines, COLUMNS);
}
