import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { words } from '../helpers/fakeUpstream.ts';
import { waitUntil } from '../helpers/waitUntil.ts';
import { type Answer, expectLegal, question } from './client.ts';
import type { ProbeWindow } from './health.ts';
import type { Scenario } from './scenario.ts';
import { answerScenarios } from './scenarios/answers.ts';
import { failureScenarios } from './scenarios/failures.ts';
import { localScenarios } from './scenarios/localUsers.ts';
import { requestScenarios } from './scenarios/requests.ts';
import { streamScenarios } from './scenarios/streams.ts';
import { toolScenarios } from './scenarios/toolServers.ts';
import { usageScenarios } from './scenarios/usage.ts';
import { wireScenarios } from './scenarios/wire.ts';
import { type Stage, startStage } from './stage.ts';

const groups: Readonly<Record<string, readonly Scenario[]>> = {
  'a provider that fails': failureScenarios,
  'a provider that answers': answerScenarios,
  'a provider that streams': streamScenarios,
  'a provider on the wire': wireScenarios,
  'a provider that counts': usageScenarios,
  'a client': requestScenarios,
  'a tool server': toolScenarios,
  'another user of the machine': localScenarios,
};

/** Every event loop of ours that stands still longer lets a hundred streams stutter. */
const SLOWEST_HEALTH_MS = 100;
/** A scenario may cost this much while it lasts, on all requests together. */
const MOST_MORE_MIB = 300;
/** What may be left of all of them. */
const MOST_LEFT_MIB = 20;
const SCENARIO_MS = 30_000;

let stage: Stage;
/** Scenarios after which the instance was not fit for the next. */
const endedBy: string[] = [];

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

async function answersOf({ act, questions, inTurn = false, provider }: Scenario): Promise<readonly Answer[]> {
  stage.behave(provider ?? words('fine'));
  if (act !== undefined) return act(stage);
  const asked = typeof questions === 'function' ? questions() : questions;
  if (!inTurn) return Promise.all((asked ?? [question('hostile')]).map(stage.ask));
  const answers: Answer[] = [];
  for (const one of asked ?? []) answers.push(await stage.ask(one));
  return answers;
}

/** Rejects when the instance ends, stands still or takes too long. */
function untilLost(): { lost: Promise<never>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${SCENARIO_MS / 1000} s`)), SCENARIO_MS);
    stage.probe.onStall = (ms) => reject(new Error(`the instance stands still: no answer of /health for ${ms} ms`));
    const { binary } = stage;
    void binary.exited.then((code) => {
      const fatal = /^.*(?:FATAL ERROR|fatal ).{0,300}/m.exec(binary.output())?.[0];
      reject(new Error(`the instance ended with ${binary.process.signalCode ?? code}: ${fatal ?? 'it says nothing'}`));
    });
  });
  lost.catch(() => {});
  return { lost, stop: () => clearTimeout(timer) };
}

function expectQuick({ slowestMs, slowestWallMs }: ProbeWindow): void {
  expect(
    Math.round(slowestMs),
    `the slowest /health in ms (${Math.round(slowestWallMs)} with the time in which others had the processors)`,
  ).toBeLessThanOrEqual(SLOWEST_HEALTH_MS);
}

function expectServing({ answers, wrong, peakMib }: ProbeWindow): void {
  expect(wrong, 'answers of /health').toEqual([]);
  expect(answers).toBeGreaterThan(0);
  expect(
    Math.round(peakMib),
    `the most memory in MiB (${Math.round(stage.atRest.residentMib)} after the warm-up)`,
  ).toBeLessThanOrEqual(stage.atRest.residentMib + MOST_MORE_MIB);
}

/** What is thrown by a check, in one line. */
function faultOf(check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

/** Plays a scenario and gives all that does not hold, as it is worth knowing, not only the first. */
async function play(scenario: Scenario): Promise<{ faults: string[]; pauses: string[] }> {
  await stage.probe.takeWindow();
  const answers = await answersOf(scenario);
  const window = await stage.probe.takeWindow();
  const faults = [
    ...answers.flatMap((answer) => faultOf(() => expectLegal(answer))),
    ...faultOf(() => expectServing(window)),
  ];
  if (scenario.provider !== undefined && stage.upstream.requests.length === 0) {
    faults.push('the provider was not asked');
  }
  try {
    await scenario.holds?.(answers, stage);
  } catch (error) {
    faults.push((error as Error).message);
  }
  const after = await stage.ask(question('ordinary', { stream: false }));
  if (after.status !== 200) faults.push(`an ordinary question afterwards: ${after.status} ${after.text.slice(0, 300)}`);
  return { faults, pauses: faultOf(() => expectQuick(window)) };
}

/**
 * Fails where anything does not hold. A pause is looked at once more: one that a scenario causes comes again, while one of a busy
 * machine, which may also make everything slower than it is, seldom comes twice.
 */
async function expectToHold(scenario: Scenario): Promise<void> {
  const first = await play(scenario);
  const { faults, pauses } = first.faults.length === 0 && first.pauses.length > 0 ? await play(scenario) : first;
  if (faults.length + pauses.length > 0) throw new Error([...faults, ...pauses].join('\n'));
}

for (const [who, scenarios] of Object.entries(groups)) {
  describe(who, () => {
    for (const scenario of scenarios) {
      test(scenario.name, async ({ onTestFailed }) => {
        const { lost, stop } = untilLost();
        onTestFailed(async () => {
          endedBy.push(scenario.name);
          await stage.restart();
        });
        try {
          await Promise.race([expectToHold(scenario), lost]);
        } finally {
          stop();
          stage.upstream.requests.length = 0;
        }
      });
    }
  });
}

describe('after all of them', () => {
  test('it is the process that was started, and no scenario has made it unfit for the next', () => {
    expect(endedBy).toEqual([]);
    expect(stage.binary.process.exitCode).toBeNull();
  });

  test('usage is still written, and no row was lost', async () => {
    const before = (await stage.health()).usage.written;
    await stage.ask(question('ordinary'));
    await waitUntil('the row is written', async () => (await stage.health()).usage.written > before);
    expect((await stage.health()).usage).toMatchObject({ dropped: 0, healthy: true });
  });

  test('what it has said is for its owner', () => {
    expect(stage.binary.output()).not.toMatch(/Warning/);
  });

  test('memory is what it was after the warm-up', async () => {
    const { usedMib, residentMib } = await stage.memory();
    console.log(
      `in use ${stage.atRest.usedMib.toFixed(1)} -> ${usedMib.toFixed(1)} MiB, resident ${stage.atRest.residentMib.toFixed(0)} -> ${residentMib.toFixed(0)} MiB`,
    );
    expect(usedMib - stage.atRest.usedMib).toBeLessThanOrEqual(MOST_LEFT_MIB);
  });
});
