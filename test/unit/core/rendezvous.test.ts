import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstParticipant, type Participant, rankParticipants } from '../../../src/core/rendezvous.ts';

const first = (conversation: string, participants: readonly Participant[]) =>
  rankParticipants(conversation, participants)[0]?.name;

const participants = fc.uniqueArray(
  fc.record({ name: fc.string({ minLength: 1, maxLength: 20 }), weight: fc.integer({ min: 0, max: 100 }) }),
  { selector: ({ name }) => name, minLength: 2, maxLength: 8 },
);

/** As Claude Code makes the ids of its sessions, and as other clients may call theirs. */
const FORMS: Readonly<Record<string, (index: number) => string>> = {
  uuid: (index) => `${(index * 2_654_435_761).toString(16).padStart(8, '0').slice(-8)}-1c2d-4e5f-8a9b-0123456789ab`,
  number: String,
  'number behind a long beginning': (index) => `${'conversation '.repeat(20)}${index}`,
};

describe('who gets a conversation', () => {
  test('does not depend on the order in which the participants are listed', () => {
    fc.assert(
      fc.property(fc.string(), participants, fc.nat(), (conversation, listed, turn) => {
        const weighted = listed.filter(({ weight }) => weight > 0);
        const place = weighted.length === 0 ? 0 : turn % weighted.length;
        const turned = [...weighted.slice(place), ...weighted.slice(0, place)];
        expect(first(conversation, turned)).toBe(first(conversation, weighted));
      }),
    );
  });

  test('changes by the removal of a participant only where that one had it, and by a new one only to that one', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 50 }), participants, fc.nat(), (conversations, listed, index) => {
        const removed = listed[index % listed.length];
        const left = listed.filter((one) => one !== removed);
        for (const conversation of conversations) {
          const before = rankParticipants(conversation, listed);
          expect(rankParticipants(conversation, left)).toEqual(before.filter((one) => one !== removed));
        }
      }),
    );
  });

  test('is the first of the order, also where only that one is asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.oneof(participants, fc.constant([])), (conversation, all) => {
        expect(firstParticipant(conversation, all)).toBe(rankParticipants(conversation, all)[0]);
      }),
    );
  });

  test('a larger weight never loses a conversation', () => {
    fc.assert(
      fc.property(fc.string(), participants, fc.integer({ min: 1, max: 100 }), (conversation, listed, more) => {
        const had = first(conversation, listed);
        const raised = listed.map((one) => (one.name === had ? { ...one, weight: one.weight + more } : one));
        expect(first(conversation, raised)).toBe(had);
      }),
    );
  });

  test.each([
    ['equal weights', [1, 1]],
    ['equal weights of five', [1, 1, 1, 1, 1]],
    ['3 to 1', [3, 1]],
    ['70, 20 and 10', [70, 20, 10]],
    ['one without a weight', [1, 0, 2]],
  ])('the shares of 10,000 conversations are within 3 percentage points of the weights: %s', (_what, weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const names of [
      ['one', 'two', 'three', 'four', 'five'],
      ['a', 'b', 'c', 'd', 'e'],
      ['1', '2', '3', '4', '5'],
    ]) {
      for (const form of Object.values(FORMS)) {
        const listed = weights.map((weight, index) => ({ name: names[index] ?? '', weight }));
        const had = Array.from({ length: 10_000 }, (_, index) => first(form(index), listed));
        for (const { name, weight } of listed) {
          const share = had.filter((one) => one === name).length / had.length;
          expect(Math.abs(share - weight / total), `${name}: ${share}`).toBeLessThan(0.03);
        }
      }
    }
  });
});
