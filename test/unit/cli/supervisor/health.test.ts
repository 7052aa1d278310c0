import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { describeCondition } from '../../../../src/cli/supervisor/condition.ts';
import { combineHealth, parseHealth, providerTrouble, queryPort } from '../../../../src/cli/supervisor/health.ts';
import { diagnoseReload } from '../../../../src/cli/supervisor/state.ts';
import { statusJson } from '../../../../src/cli/views/statusEntry.ts';
import { statusText } from '../../../../src/cli/views/statusView.ts';
import { sampleInspection } from './sampleInstance.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

const answering = (handle: RequestListener) => listen(createServer({ keepAlive: false }, handle));
const health = { service: 'claude-code-proxy', instance: 'kimi', pid: 42, state: 'serving', config_hash: 'abc' };

describe('who answers at a port', () => {
  test('an instance', async () => {
    const port = await answering((_request, response) => response.end(JSON.stringify(health)));
    const answer = await queryPort('127.0.0.1', port);
    expect(answer).toMatchObject({ kind: 'instance', health: { instance: 'kimi', pid: 42, config_hash: 'abc' } });
  });

  test('an instance that drains, with status 503', async () => {
    const body = JSON.stringify({ ...health, state: 'draining' });
    const port = await answering((_request, response) => response.writeHead(503).end(body));
    expect(await queryPort('127.0.0.1', port)).toMatchObject({ kind: 'instance', health: { state: 'draining' } });
  });

  test('another web server', async () => {
    const port = await answering((_request, response) => response.end('<html>'));
    expect(await queryPort('127.0.0.1', port)).toEqual({ kind: 'other' });
  });

  test('another web server without an end', async () => {
    const port = await answering((_request, response) => {
      const writing = setInterval(() => response.write('x'.repeat(50_000)), 1);
      response.on('close', () => clearInterval(writing));
    });
    expect(await queryPort('127.0.0.1', port)).toEqual({ kind: 'other' });
  });

  test('a server of another kind', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume().end('220 mail.example.com\r\n')));
    expect(await queryPort('127.0.0.1', port)).toEqual({ kind: 'other' });
  });

  test('one that takes the connection and says nothing', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    expect(await queryPort('127.0.0.1', port)).toEqual({ kind: 'unresponsive' });
  });

  test('nobody', async () => {
    const port = await listen(createTcpServer());
    await new Promise((closed) => servers.pop()?.close(closed));
    expect(await queryPort('127.0.0.1', port)).toEqual({ kind: 'closed' });
  });
});

test.each([
  ['another service', { ...health, service: 'other' }],
  ['no name', { ...health, instance: undefined }],
  ['a pid that is no number', { ...health, pid: '42' }],
])('%s is not an instance', (_what, body) => {
  expect(parseHealth(JSON.stringify(body))).toBeUndefined();
});

describe('the health report of another build', () => {
  const read = (fields: Record<string, unknown>) => parseHealth(JSON.stringify({ ...health, ...fields }));

  test('of an older one: what it does not report is not known', () => {
    expect(read({ requests: { total: 3 } })).toEqual({ ...health, requests: { total: 3 } });
  });

  test('of a newer one: what this manager does not know is left out', () => {
    expect(read({ requests: { total: 3, postponed: 1 }, weather: 'fine' })).toEqual({
      ...health,
      requests: { total: 3 },
    });
  });

  test.each([
    ['text in place of a number', { uptime_seconds: 'long' }, {}],
    ['an object in place of a list', { providers: {} }, {}],
    ['a list in place of an object', { requests: [1] }, {}],
    ['a number in a list of names', { restart_needed: ['PORT', 1] }, {}],
    ['a field within an object', { tokens: { input: 'many', output: 2 } }, { tokens: { output: 2 } }],
    [
      'a field within a list',
      { providers: [{ name: 'a', circuit: 'ajar', keys: [{ label: 1, state: 'ready' }] }] },
      { providers: [{ name: 'a', keys: [{ state: 'ready' }] }] },
    ],
    ['null where nothing is no answer', { port: null, last_error: null }, { last_error: null }],
    ['an unknown state', { state: 'dancing' }, { state: 'serving' }],
  ])('%s is not known', (_what, fields, expected) => {
    expect(read(fields)).toEqual({ ...health, ...expected });
  });

  test.each([0, -1, 0.5, 1e308, '1', null])(
    'P6 with %j in place of the pid it is none, as that would be signalled',
    (pid) => {
      expect(read({ pid })).toBeUndefined();
    },
  );

  test('texts are cut, and cannot steer the terminal', () => {
    const message = `\u001b[2J${'x'.repeat(100_000)}`;
    const shown = read({ last_error: { message } })?.last_error?.message ?? '';
    expect(shown).toMatch(/^\\x1b\[2Jx+$/);
    expect(shown.length).toBeLessThan(2100);
  });

  const json = fc.jsonValue();
  const report = fc.record(
    Object.fromEntries(
      [
        'part',
        'state',
        'models',
        'providers',
        'requests',
        'queue',
        'last_error',
        'config_problems',
        'restart_needed',
        'log',
      ].map((name) => [name, json]),
    ),
    { requiredKeys: [] },
  );

  test('whatever it reports, the manager goes on, and shows no control character', () => {
    fc.assert(
      fc.property(report, (fields) => {
        const parsed = read(fields);
        if (parsed === undefined) throw new Error('it is the report of an instance');
        combineHealth(parsed, [parsed, { ...parsed, pid: 43 }]);
        providerTrouble(parsed);
        const inspection = sampleInspection({ answer: { kind: 'instance', health: parsed }, isOurs: true });
        diagnoseReload(inspection);
        const { instance } = inspection;
        const facts = {
          instance,
          state: 'serving',
          health: parsed,
          row: undefined,
          isSound: true,
          hasRun: true,
        } as const;
        const report = describeCondition(facts);
        const entry = { inspection, state: 'serving', health: parsed, report, hint: undefined } as const;
        const table = statusText([entry], { program: './manage', columns: undefined, paint: (_colour, text) => text });
        expect(table.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        expect(statusJson([entry])).not.toMatch(/\\u00[01]/);
      }),
    );
  });
});
