import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitUntil } from '../helpers/waitUntil.ts';
import { question } from './client.ts';
import { playToHold } from './play.ts';
import { Random } from './random.ts';
import { randomScenario } from './randomScenarios.ts';
import { type Stage, startStage } from './stage.ts';

/**
 * The long mode: `LONG=1 npm run test:hostile`. Scenarios of random sizes and shapes for so many minutes; each is made of a seed of its
 * own, and `HOSTILE_SEED` plays one alone.
 */
const MINUTES = Number(process.env['HOSTILE_MINUTES'] ?? 30);
const SEED = process.env['HOSTILE_SEED'];

/** One instance plays so many, as those whose rate was limited are not asked again by it. */
const PLAYED_BY_ONE = 100;
const MOST_LEFT_MIB = 20;

describe.runIf(process.env['LONG'] !== undefined)('at random', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage?.close());

  /** What did not hold, by the seed with which it can be played again. */
  async function playSeed(seed: number): Promise<string[]> {
    const scenario = randomScenario(new Random(seed));
    try {
      await playToHold(stage, scenario);
      return [];
    } catch (error) {
      const fault = `HOSTILE_SEED=${seed} ${scenario.name}: ${(error as Error).message}`.slice(0, 1000);
      console.log(fault);
      await stage.restart();
      return [fault];
    }
  }

  /** What an instance must have left behind when it has played its part. */
  async function checkRest(): Promise<string[]> {
    const { usedMib } = await stage.memory();
    const before = (await stage.health()).usage.written;
    await stage.ask(question('ordinary'));
    await waitUntil('the row is written', async () => (await stage.health()).usage.written > before);
    const { dropped, healthy } = (await stage.health()).usage;
    const faults: string[] = [];
    if (usedMib - stage.atRest.usedMib > MOST_LEFT_MIB) {
      faults.push(`in use ${stage.atRest.usedMib.toFixed(1)} -> ${usedMib.toFixed(1)} MiB`);
    }
    if (dropped > 0 || !healthy) faults.push(`usage: ${dropped} rows dropped`);
    if (/Warning/.test(stage.binary.output())) faults.push(/.*Warning.*/.exec(stage.binary.output())?.[0] ?? '');
    return faults;
  }

  test('whatever comes, it serves on', { timeout: (MINUTES + 5) * 60_000 }, async () => {
    if (SEED !== undefined) return expect(await playSeed(Number(SEED))).toEqual([]);
    const until = performance.now() + MINUTES * 60_000;
    const faults: string[] = [];
    let seed = Math.floor(Math.random() * 1e9);
    let played = 0;
    while (performance.now() < until) {
      faults.push(...(await playSeed(seed)));
      seed += 1;
      played += 1;
      if (played % PLAYED_BY_ONE !== 0) continue;
      faults.push(...(await checkRest()));
      await stage.restart();
    }
    faults.push(...(await checkRest()));
    console.log(`${played} scenarios at random, ${faults.length} faults`);
    expect(faults).toEqual([]);
  });
});
