import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, proportionalMib, residentMib } from '../processes/sessionFacts.ts';
import type { Subject } from '../processes/subject.ts';
import type { Scenario } from './scenario.ts';

/** After this time nothing of the start is left to do. */
const SETTLE_MS = 1500;

export const start: Scenario = {
  name: 'S5',
  about: 'from the start of the process to its first answer',
  metrics: [
    { key: 'first', title: 'first answer ms', digits: 0, compared: true },
    { key: 'cpu', title: 'CPU ms until then', digits: 0 },
  ],
  quick: { rounds: 7, seconds: 0 },
  long: { rounds: 21, seconds: 0 },
  needsProcess: true,
  measure: async (stage, target) => {
    const subject = await stage.start(target);
    const cpu = cpuSeconds(subject.session ?? 0) * 1000;
    await subject.stop();
    return { first: subject.startMs, cpu };
  },
};

function sum(subjects: readonly Subject[], mibOf: (session: number) => number): number {
  return subjects.reduce((total, { session }) => total + mibOf(session ?? 0), 0);
}

export const idleMemory: Scenario = {
  name: 'S5 memory',
  about: 'idle memory of one instance and of four together, after one answer each',
  metrics: [
    { key: 'oneRss', title: 'one: RSS MiB', digits: 0 },
    { key: 'onePss', title: 'one: PSS MiB', digits: 0 },
    { key: 'fourRss', title: 'four: RSS MiB', digits: 0 },
    { key: 'fourPss', title: 'four: PSS MiB', digits: 0, compared: true },
  ],
  quick: { rounds: 1, seconds: 0 },
  long: { rounds: 3, seconds: 0 },
  needsProcess: true,
  measure: async (stage, target) => {
    const subjects = [await stage.start(target)];
    try {
      await sleep(SETTLE_MS);
      const one = { oneRss: sum(subjects, residentMib), onePss: sum(subjects, proportionalMib) };
      for (let more = 0; more < 3; more += 1) subjects.push(await stage.start(target));
      await sleep(SETTLE_MS);
      return { ...one, fourRss: sum(subjects, residentMib), fourPss: sum(subjects, proportionalMib) };
    } finally {
      await Promise.all(subjects.map((subject) => subject.stop()));
    }
  },
};
