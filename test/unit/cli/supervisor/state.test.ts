import { describe, expect, test } from 'vitest';
import type { Inspection } from '../../../../src/cli/supervisor/inspect.ts';
import { chooseStep } from '../../../../src/cli/supervisor/start.ts';
import { deriveState, hasOlderSettings, isOlderThanBuild } from '../../../../src/cli/supervisor/state.ts';
import { sampleAnswer, sampleInspection, sampleInstance, sampleRow } from './sampleInstance.ts';

const kimi = sampleInstance('kimi');
const unsound = sampleInstance('kimi', 'PROVIDER=demo\nPORT=banana\n');
const serving = sampleAnswer();
const unresponsive = { kind: 'unresponsive' } as const;
const other = { kind: 'other' } as const;
const row = (changes: Parameters<typeof sampleRow>[1]) => ({ row: sampleRow(kimi, changes) });
const moved = { ...row({}), movedFrom: '/srv/before' };

const cases: [string, Partial<Inspection>, ReturnType<typeof deriveState>, ReturnType<typeof chooseStep>][] = [
  ['answers with the pid that PM2 has', { ...row({}), answer: serving, isOurs: true }, 'serving', 'keep'],
  [
    'answers that it drains',
    { ...row({}), answer: sampleAnswer({ state: 'draining' }), isOurs: true },
    'draining',
    'restart',
  ],
  ['answers, PM2 does not know it', { answer: serving, isOurs: true }, 'unsupervised', 'restart'],
  [
    'answers, PM2 has another process',
    { ...row({ pid: 7 }), answer: serving, isOurs: true },
    'unsupervised',
    'restart',
  ],
  ['another copy answers under the name', { answer: serving, isOurs: false }, 'port taken', 'refuse'],
  ['another instance answers', { answer: sampleAnswer({ instance: 'glm' }) }, 'port taken', 'refuse'],
  ['a stranger answers', { answer: other }, 'port taken', 'refuse'],
  [
    'a stranger answers, PM2 tries in vain',
    { ...row({ status: 'waiting restart' }), answer: other },
    'port taken',
    'refuse',
  ],
  ['somebody listens and says nothing', { answer: unresponsive }, 'port taken', 'refuse'],
  ['our process listens and says nothing', { ...row({}), answer: unresponsive }, 'not answering', 'await'],
  ['online, port still silent', row({}), 'starting', 'await'],
  ['launching', row({ status: 'launching' }), 'starting', 'await'],
  ['launching after a crash', row({ status: 'launching', restarts: 2 }), 'starting', 'restart'],
  ['stopping', row({ status: 'stopping' }), 'draining', 'restart'],
  ['stopped', row({ status: 'stopped', exitCode: 0 }), 'stopped', 'restart'],
  ['waits to restart', row({ status: 'waiting restart', exitCode: 1 }), 'backing off', 'restart'],
  ['"waits", but its configuration was wrong', row({ status: 'waiting restart', exitCode: 78 }), 'failed', 'restart'],
  ['given up', row({ status: 'errored', exitCode: 1 }), 'failed', 'restart'],
  ['nobody there', {}, 'not started', 'start'],
  ['answers from where the checkout was', { ...moved, answer: serving, isOurs: true }, 'moved', 'restart'],
  ['ended where the checkout was', { ...moved, ...row({ status: 'errored' }) }, 'failed', 'restart'],
  ['env file wrong, nothing runs', { instance: unsound, answer: undefined }, 'failed', 'restart'],
  ['env file wrong, process runs', { instance: unsound, ...row({}), answer: undefined }, 'running', 'keep'],
];

describe('the state of an instance, and what start does then', () => {
  test.each(cases)('%s', (_situation, changes, state, step) => {
    const inspection = sampleInspection(changes);
    expect(deriveState(inspection)).toBe(state);
    expect(chooseStep(inspection)).toBe(step);
  });
});

describe('older settings', () => {
  const withHash = (hash: string | undefined) => {
    const answer = sampleAnswer();
    return { ...answer, health: { ...answer.health, config_hash: hash } };
  };
  test.each([
    ['same hash', { answer: withHash(kimi.config?.hash), isOurs: true }, false],
    ['other hash', { answer: withHash('0123456789ab'), isOurs: true }, true],
    ['env file wrong by now', { answer: withHash(kimi.config?.hash), isOurs: true, instance: unsound }, true],
    ['somebody else answers', { answer: withHash('0123456789ab'), isOurs: false }, false],
    ['nobody answers', {}, false],
  ])('%s', (_situation, changes, expected) => {
    expect(hasOlderSettings(sampleInspection(changes))).toBe(expected);
  });
});

test.each([
  ['began before the build', { started_at: '2026-11-30T10:00:00.000Z' }, true],
  ['began after it', { started_at: '2026-11-30T12:00:00.000Z' }, false],
  [
    'began after it, of another version that was installed since',
    { started_at: '2026-11-30T12:00:00.000Z', version: '1.2.2' },
    true,
  ],
  ['says neither', { started_at: undefined, version: undefined }, false],
])('of a process that %s the build is older: %s', (_what, changes, expected) => {
  const stamp = { version: '1.2.3', platform: '', sourceHash: '', builtAt: '2026-11-30T11:00:00.000Z' };
  const { health } = sampleAnswer({ version: '1.2.3', ...changes });
  expect(isOlderThanBuild(stamp, health)).toBe(expected);
});
