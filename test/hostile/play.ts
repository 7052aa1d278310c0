import { expect } from 'vitest';
import { words } from '../helpers/fakeUpstream.ts';
import { pages } from '../helpers/searchServer.ts';
import { type Answer, expectLegal, question } from './client.ts';
import type { ProbeWindow } from './health.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

/** Every event loop of ours that stands still longer lets a hundred streams stutter. */
const SLOWEST_HEALTH_MS = 100;
/** A scenario may cost this much while it lasts, on all requests together. */
const MOST_MORE_MIB = 300;
/** With more than this in memory, what scenarios before have left is collected first: it is none of the next one's. */
const MOST_LEFT_MIB = 100;
const SCENARIO_MS = 30_000;

async function answersOf(
  stage: Stage,
  { act, questions, inTurn = false, provider, search }: Scenario,
): Promise<readonly Answer[]> {
  stage.behave(provider ?? words('fine'));
  stage.searches.behaviour = search ?? pages(['https://a.test/', 'a page', 'words']);
  if (act !== undefined) return act(stage);
  const asked = typeof questions === 'function' ? questions() : questions;
  if (!inTurn) return Promise.all((asked ?? [question('hostile')]).map(stage.ask));
  const answers: Answer[] = [];
  for (const one of asked ?? []) answers.push(await stage.ask(one));
  return answers;
}

/** Rejects when the instance ends, stands still or takes too long. */
function untilLost(stage: Stage): { lost: Promise<never>; stop(): void } {
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

function expectServing({ answers, wrong, peakMib }: ProbeWindow, { atRest }: Stage): void {
  expect(wrong, 'answers of /health').toEqual([]);
  expect(answers).toBeGreaterThan(0);
  expect(
    Math.round(peakMib),
    `the most memory in MiB (${Math.round(atRest.residentMib)} after the warm-up)`,
  ).toBeLessThanOrEqual(atRest.residentMib + MOST_MORE_MIB);
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
async function play(
  stage: Stage,
  scenario: Scenario,
): Promise<{ faults: string[]; pauses: string[]; window: ProbeWindow }> {
  const { peakMib } = await stage.probe.takeWindow();
  if (peakMib > stage.atRest.residentMib + MOST_LEFT_MIB) {
    await stage.memory();
    await stage.probe.takeWindow();
  }
  const answers = await answersOf(stage, scenario);
  const window = await stage.probe.takeWindow();
  const own = scenario.passesOn === true ? answers.filter(({ status }) => status !== 200) : answers;
  const faults = [
    ...own.flatMap((answer) => faultOf(() => expectLegal(answer))),
    ...faultOf(() => expectServing(window, stage)),
  ];
  if (scenario.provider !== undefined && stage.upstream.requests.length === 0) {
    faults.push('the provider was not asked');
  }
  if (scenario.search !== undefined && stage.searches.searches.length === 0) {
    faults.push('the search API was not asked');
  }
  try {
    await scenario.holds?.(answers, stage);
  } catch (error) {
    faults.push((error as Error).message);
  }
  const after = await stage.ask(question('ordinary', { stream: false }));
  if (after.status !== 200) faults.push(`an ordinary question afterwards: ${after.status} ${after.text.slice(0, 300)}`);
  return { faults, pauses: faultOf(() => expectQuick(window)), window };
}

/**
 * Fails where anything does not hold. A pause is looked at once more: one that a scenario causes comes again, while one of a busy
 * machine, which may also make everything slower than it is, seldom comes twice.
 */
async function expectToHold(stage: Stage, scenario: Scenario): Promise<ProbeWindow> {
  const first = await play(stage, scenario);
  const isPauseAlone = first.faults.length === 0 && first.pauses.length > 0;
  const { faults, pauses, window } = isPauseAlone ? await play(stage, scenario) : first;
  if (faults.length + pauses.length > 0) throw new Error([...faults, ...pauses].join('\n'));
  return window;
}

/** Plays a scenario against the instance and gives what was seen of it meanwhile; rejects with all that did not hold. */
export async function playToHold(stage: Stage, scenario: Scenario): Promise<ProbeWindow> {
  const { lost, stop } = untilLost(stage);
  try {
    return await Promise.race([expectToHold(stage, scenario), lost]);
  } finally {
    stop();
    stage.upstream.requests.length = 0;
    stage.searches.searches.length = 0;
  }
}
