import { expect, test } from 'vitest';
import { utcDay } from '../../../../src/core/clock.ts';
import {
  activeFileName,
  logFileKind,
  logName,
  logNamesIn,
  rotatedFileName,
} from '../../../../src/telemetry/log/fileNames.ts';

const AT = Date.UTC(2026, 10, 20, 8, 54, 3, 217);

test('names say instance, UTC time and number, and sort by them', () => {
  const names = [1, 2, 10].map((index) => rotatedFileName('kimi', AT, index));
  expect(names).toEqual([
    'kimi-20261120-085403-001.log',
    'kimi-20261120-085403-002.log',
    'kimi-20261120-085403-010.log',
  ]);
  expect([...names].sort()).toEqual(names);
  expect(rotatedFileName('kimi', AT, 999) < rotatedFileName('kimi', AT + 1000, 1)).toBe(true);
  expect(activeFileName('kimi')).toBe('kimi.log');
  expect(utcDay(AT)).toBe('2026-11-20');
});

test.each([
  ['kimi.log', 'active'],
  ['kimi-20261120-085403-001.log', 'rotated'],
  ['kimi-20261120-085403-1000.log', 'rotated'],
  ['kimi-20261120-085403-001.log.gz', 'compressed'],
  ['kimi-20261120-085403-001.log.gz.tmp', 'temporary'],
  ['kimi-20261120-085403-001.log.bak', undefined],
  ['kimi-20261120-085403.log', undefined],
  ['kimi-20261120-085403-001.txt', undefined],
  ['glm-20261120-085403-001.log', undefined],
  ['kimi-2-20261120-085403-001.log', undefined],
  ['my-kimi-20261120-085403-001.log', undefined],
  ['kimi.log.gz', undefined],
])('%s is %s', (name, kind) => {
  expect(logFileKind('kimi', name)).toBe(kind);
});

test('an instance whose name has signs of a pattern in it owns only its own files', () => {
  expect(logFileKind('k.m+', 'k.m+-20261120-085403-001.log')).toBe('rotated');
  expect(logFileKind('k.m+', 'kimm-20261120-085403-001.log')).toBe(undefined);
});

test('each process of an instance has a log of its own, and all are found by their files', () => {
  expect([logName('kimi', 1), logName('kimi', 2)]).toEqual(['kimi', 'kimi.2']);
  const files = [
    'kimi.2-20261120-085403-001.log.gz',
    'kimi.3.log',
    'kimi.log',
    'kimi.log.old',
    'kimi.x.log',
    'glm.4.log',
  ];
  expect(logNamesIn(files, 'kimi')).toEqual(['kimi', 'kimi.2', 'kimi.3']);
  expect(logNamesIn([], 'kimi')).toEqual(['kimi']);
  expect(logFileKind('kimi', 'kimi.2.log')).toBeUndefined();
  expect(logFileKind('kimi.2', 'kimi.2.log')).toBe('active');
});
