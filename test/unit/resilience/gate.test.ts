import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Gate, type Ticket } from '../../../src/resilience/concurrencyLimiter.ts';

test('it lets so many in, so many wait in their order, and refuses the rest', () => {
  const gate = new Gate(2, 2);
  const entered: string[] = [];
  const tickets = ['a', 'b', 'c', 'd', 'e'].map((name) => gate.request(() => entered.push(name)));
  expect(entered).toEqual(['a', 'b']);
  expect([gate.inside, gate.waiting, tickets[4]]).toEqual([2, 2, undefined]);
  tickets[1]?.leave();
  expect(entered).toEqual(['a', 'b', 'c']);
  tickets[3]?.leave();
  tickets[0]?.leave();
  tickets[2]?.leave();
  expect(entered).toEqual(['a', 'b', 'c']);
  expect([gate.inside, gate.waiting]).toEqual([0, 0]);
});

test('without a limit everybody enters at once', () => {
  const gate = new Gate(0, 0);
  for (let count = 0; count < 100; count += 1) gate.request(() => {});
  expect([gate.inside, gate.waiting]).toEqual([100, 0]);
});

test('more places let in who waits, in the order in which they came; fewer send nobody away', () => {
  const gate = new Gate(1, 3);
  const entered: string[] = [];
  const tickets = ['a', 'b', 'c', 'd'].map((name) => gate.request(() => entered.push(name)));
  gate.resize(3, 0);
  expect(entered).toEqual(['a', 'b', 'c']);
  expect([gate.waiting, gate.request(() => {})]).toEqual([1, undefined]);
  gate.resize(1, 0);
  tickets[0]?.leave();
  tickets[1]?.leave();
  expect([entered.length, gate.inside]).toEqual([3, 1]);
  tickets[2]?.leave();
  expect(entered).toEqual(['a', 'b', 'c', 'd']);
});

test('whoever comes and goes in whatever order, no place is lost and none is given twice', () => {
  const steps = fc.array(fc.oneof(fc.constant('come' as const), fc.nat({ max: 20 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), fc.nat({ max: 4 }), (actions, places, queueLength) => {
      const gate = new Gate(places, queueLength);
      const tickets: Ticket[] = [];
      for (const action of actions) {
        if (action === 'come') {
          const ticket = gate.request(() => {});
          if (ticket !== undefined) tickets.push(ticket);
        } else {
          tickets[action % Math.max(tickets.length, 1)]?.leave();
        }
        expect(gate.inside).toBeLessThanOrEqual(places);
        expect(gate.waiting).toBeLessThanOrEqual(queueLength);
        // Nobody waits beside a free place.
        if (gate.waiting > 0) expect(gate.inside).toBe(places);
      }
      for (const ticket of tickets) ticket.leave();
      expect([gate.inside, gate.waiting]).toEqual([0, 0]);
    }),
  );
});
