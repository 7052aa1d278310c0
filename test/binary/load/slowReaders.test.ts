import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { drained } from '../../helpers/drained.ts';
import { delta, frame, openEvents, startFakeUpstream } from '../../helpers/fakeUpstream.ts';
import { LONG } from '../../helpers/loadStage.ts';
import { call, message, open } from '../../helpers/startApp.ts';
import { startBinary } from '../../helpers/startBinary.ts';

const MIB = 1024 * 1024;
const PIECE = 'x'.repeat(16 * 1024);
const PIECES = 640; // 10 MB
const CLIENTS = LONG ? 50 : 10;
const GROWTH_MAX_MIB = 4;

const residentMib = (pid: number | undefined) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;

/** Reads 1 kB a second for a moment, as a slow line would, and gives the socket its way to fill. */
async function readSlowly(response: IncomingMessage, seconds: number): Promise<void> {
  response.pause();
  for (let second = 0; second < seconds; second += 1) {
    response.read(1024);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

test.runIf(process.platform === 'linux')(
  'L6 clients that read 1 kB a second of 10 MB hold at most 4 MiB each',
  { timeout: 90_000 },
  async () => {
    let handedOver = 0;
    const upstream = await startFakeUpstream({
      '*': async (response) => {
        openEvents(response);
        const piece = frame(delta({ content: PIECE }));
        for (let index = 0; index < PIECES && !response.destroyed; index += 1) {
          handedOver += piece.length;
          if (!response.write(piece)) await drained(response);
        }
        response.end(`${frame(delta({}, 'stop'))}data: [DONE]\n\n`);
      },
    });
    const binary = await startBinary({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'key-of-the-provider',
      BIG_MODEL: 'x',
      SMALL_MODEL: 'x',
    });
    onTestFinished(async () => {
      await binary.stop();
      await upstream.close();
    });
    // What every instance needs for such an answer is not what a slow client costs.
    for (let round = 0; round < 3; round += 1) await call(`${binary.url}/v1/messages`, message('x', { stream: true }));
    handedOver = 0;
    const before = residentMib(binary.process.pid);
    const ask = () => open(`${binary.url}/v1/messages`, message('x', { stream: true }));
    const responses = await Promise.all(Array.from({ length: CLIENTS }, ask));
    await Promise.all(responses.map((response) => readSlowly(response, LONG ? 20 : 3)));
    const perClient = (residentMib(binary.process.pid) - before) / CLIENTS;
    console.info(
      `L6: ${CLIENTS} slow clients, ${perClient.toFixed(2)} MiB each, ${(handedOver / CLIENTS / MIB).toFixed(1)} of 10 MB taken`,
    );
    expect(perClient).toBeLessThanOrEqual(GROWTH_MAX_MIB);
    expect(handedOver / CLIENTS).toBeLessThan(PIECES * PIECE.length);
    for (const response of responses) response.destroy();
  },
);
