import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTokenCalibration } from '../../../src/translate/tokenCalibration.ts';

const ENGLISH = { ideographs: 0, rest: 1000 };
const CHINESE = { ideographs: 1000, rest: 0 };

describe('R502 the calibration', () => {
  test('learns a model’s factor and leaves the others alone', () => {
    const calibration = createTokenCalibration();
    expect(calibration.estimate('a', ENGLISH)).toBe(1000);
    for (let turn = 0; turn < 20; turn += 1) calibration.observe('a', ENGLISH, 1200);
    expect(calibration.estimate('a', ENGLISH) / 1200).toBeCloseTo(1, 2);
    expect(calibration.estimate('b', ENGLISH)).toBe(1000);
  });

  test('one request is enough to come near', () => {
    const calibration = createTokenCalibration();
    calibration.observe('a', ENGLISH, 1500);
    expect(calibration.estimate('a', ENGLISH) / 1500).toBeCloseTo(1, 1);
  });

  test('learns ideographs apart from the rest', () => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 20; turn += 1) calibration.observe('a', CHINESE, 2000);
    expect(calibration.estimate('a', ENGLISH)).toBe(1000);
    expect(calibration.estimate('a', CHINESE) / 2000).toBeCloseTo(1, 2);
  });

  test('distinguishes the two from mixed requests alone', () => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 20; turn += 1) {
      const ideographs = 2000 * (turn % 5);
      calibration.observe('a', { ideographs, rest: 10_000 }, 2 * ideographs + 10_000);
    }
    expect(calibration.estimate('a', CHINESE) / 2000).toBeCloseTo(1, 1);
    expect(calibration.estimate('a', ENGLISH) / 1000).toBeCloseTo(1, 1);
  });

  test('follows a model that has changed', () => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 200; turn += 1) calibration.observe('a', ENGLISH, 800);
    for (let turn = 0; turn < 40; turn += 1) calibration.observe('a', ENGLISH, 1400);
    expect(calibration.estimate('a', ENGLISH) / 1400).toBeCloseTo(1, 1);
  });

  test('an outlier moves it little, and is bounded', () => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 100; turn += 1) calibration.observe('a', ENGLISH, 1000);
    calibration.observe('a', ENGLISH, 1_000_000);
    expect(calibration.estimate('a', ENGLISH)).toBeLessThan(1200);
    for (let turn = 0; turn < 100; turn += 1) calibration.observe('a', ENGLISH, 1);
    expect(calibration.estimate('a', ENGLISH)).toBeGreaterThanOrEqual(600);
    for (let turn = 0; turn < 100; turn += 1) calibration.observe('a', CHINESE, 1e9);
    expect(calibration.estimate('a', CHINESE)).toBeLessThanOrEqual(3000);
  });

  test('what a mixed request teaches stays within what a text can cost', () => {
    const calibration = createTokenCalibration();
    const mixed = { ideographs: 5000, rest: 5000 };
    for (let turn = 0; turn < 3; turn += 1) calibration.observe('a', mixed, 24_000);
    expect(calibration.estimate('a', ENGLISH)).toBeLessThanOrEqual(1800);
    expect(calibration.estimate('a', CHINESE)).toBeLessThanOrEqual(3000);
  });

  test.each([
    ['of one word', { ideographs: 0, rest: 9 }, 16],
    ['of one word and a template', { ideographs: 0, rest: 9 }, 40],
    ['with a small tool', { ideographs: 0, rest: 180 }, 310],
    ['of a Chinese line', { ideographs: 30, rest: 4 }, 90],
    ['that are almost worth a look', { ideographs: 0, rest: 499 }, 890],
  ])('ten tiny requests %s do not move the estimate, of a model that is known or not', (_name, measured, actual) => {
    for (const known of [true, false]) {
      const calibration = createTokenCalibration();
      if (known) calibration.observe('a', { ideographs: 0, rest: 12_000 }, 12_600);
      const before = [ENGLISH, CHINESE].map((text) => calibration.estimate('a', text));
      for (let turn = 0; turn < 10; turn += 1) calibration.observe('a', measured, actual);
      expect([ENGLISH, CHINESE].map((text) => calibration.estimate('a', text))).toEqual(before);
    }
  });

  test('the longer a request, the more it teaches', () => {
    const moved = [500, 1000, 3000, 12_000].map((rest) => {
      const calibration = createTokenCalibration();
      for (let turn = 0; turn < 3; turn += 1) calibration.observe('a', { ideographs: 0, rest: 20_000 }, 20_000);
      calibration.observe('a', { ideographs: 0, rest }, 1.5 * rest);
      return calibration.estimate('a', { ideographs: 0, rest: 100_000 }) - 100_000;
    });
    expect(moved).toEqual(moved.toSorted((one, other) => one - other));
    expect(moved[0]).toBeLessThan(1500);
    expect(moved[3]).toBeGreaterThan(10_000);
  });

  test('small requests of any kind and number leave what long ones have taught nearly as it is', () => {
    const small = fc.record({ size: fc.integer({ min: 1, max: 700 }), more: fc.integer({ min: 0, max: 250 }) });
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 10 }), (series) => {
        const calibration = createTokenCalibration();
        for (let turn = 0; turn < 3; turn += 1) calibration.observe('a', { ideographs: 0, rest: 12_000 }, 13_200);
        const before = calibration.estimate('a', ENGLISH);
        for (const { size, more } of series) calibration.observe('a', { ideographs: 0, rest: size }, size + more);
        return Math.abs(calibration.estimate('a', ENGLISH) / before - 1) < 0.1;
      }),
    );
  });

  test.each([
    ['far below, as of a prompt that was cut', ENGLISH, 521],
    ['far above', ENGLISH, 2500],
    ['far below, of Chinese', CHINESE, 300],
    ['far above, of a mixed text', { ideographs: 500, rest: 500 }, 2600],
  ])('a figure that cannot be believed teaches nothing: %s', (_name, measured, actual) => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 30; turn += 1) calibration.observe('a', measured, actual);
    expect(calibration.snapshot()).toEqual({});
  });

  test('one Chinese request is enough for Chinese, and leaves English alone', () => {
    const calibration = createTokenCalibration();
    for (let turn = 0; turn < 5; turn += 1) calibration.observe('a', { ideographs: 0, rest: 12_000 }, 12_600);
    const english = calibration.estimate('a', ENGLISH);
    calibration.observe('a', { ideographs: 5000, rest: 300 }, 4000);
    expect(calibration.estimate('a', { ideographs: 10_000, rest: 600 }) / 8000).toBeCloseTo(1, 1);
    expect(Math.abs(calibration.estimate('a', ENGLISH) / english - 1)).toBeLessThan(0.01);
  });

  test.each([
    [0, 0, 5],
    [0, 5, 0],
    [0, -1, 5],
    [0, Number.NaN, 5],
    [Number.NaN, 5, 5],
    [0, 5, Number.POSITIVE_INFINITY],
    [0, 5, Number.NaN],
    [0, 5, -5],
  ])('figures that make no sense teach nothing: %s and %s measured, %s counted', (ideographs, rest, actual) => {
    const calibration = createTokenCalibration();
    calibration.observe('a', { ideographs, rest }, actual);
    expect(calibration.snapshot()).toEqual({});
  });

  test('no series of figures takes it beyond its bounds', () => {
    const parts = fc.record({ ideographs: fc.nat(), rest: fc.nat() });
    const figures = fc.array(fc.tuple(parts, fc.double()), { maxLength: 50 });
    fc.assert(
      fc.property(figures, (series) => {
        const calibration = createTokenCalibration();
        for (const [measured, actual] of series) calibration.observe('a', measured, actual);
        const english = calibration.estimate('a', ENGLISH);
        const chinese = calibration.estimate('a', CHINESE);
        return english >= 600 && english <= 1800 && chinese >= 500 && chinese <= 3000;
      }),
    );
  });

  test('survives as JSON and goes on learning as if nothing had been', () => {
    const calibration = createTokenCalibration();
    const restored = createTokenCalibration();
    calibration.observe('a', { ideographs: 300, rest: 700 }, 1300);
    restored.restore(JSON.parse(JSON.stringify(calibration.snapshot())));
    expect(restored.snapshot()).toEqual(calibration.snapshot());
    for (const one of [calibration, restored]) one.observe('a', ENGLISH, 1100);
    expect(restored.snapshot()).toEqual(calibration.snapshot());
  });

  test('what is not a snapshot is left out, and values beyond the bounds are brought back', () => {
    const factor = { value: 1, variance: 0.5 };
    const restored = createTokenCalibration();
    const damaged = {
      b: { ideographs: { value: 99, variance: 7 }, rest: { value: -1, variance: 0.5 } },
      c: null,
      d: { ideographs: factor },
      e: { ideographs: factor, rest: { value: 'x', variance: 0.5 } },
      f: { ideographs: factor, rest: { value: 1, variance: 0 } },
      g: { factor: 1, count: 3 },
    };
    for (const wrong of [null, 'x', [factor], damaged]) restored.restore(wrong);
    expect(restored.snapshot()).toEqual({
      b: { ideographs: { value: 3, variance: 1 }, rest: { value: 0.6, variance: 0.5 } },
    });
  });
});

test('names of models come from clients: their number and their length are bounded', () => {
  const calibration = createTokenCalibration();
  const measured = { ideographs: 0, rest: 1000 };
  for (let index = 0; index < 1000; index += 1) calibration.observe(`model-${index}`, measured, 1500);
  calibration.observe('model-801', measured, 1500);
  calibration.observe('n'.repeat(100_000), measured, 1500);
  calibration.observe('last', measured, 1500);
  const names = Object.keys(calibration.snapshot());
  expect(names).toHaveLength(200);
  expect(names.slice(-3)).toEqual(['model-999', 'model-801', 'last']);
  const restored = createTokenCalibration();
  restored.restore(
    Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`m${at}`, calibration.snapshot()['last']])),
  );
  expect(Object.keys(restored.snapshot())).toHaveLength(200);
});
