import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { formatProblemLine } from '../../../../src/config/diagnostics.ts';
import { editClients } from '../../../../src/config/files/clientTokensFile.ts';
import { readLines } from '../../../helpers/configText.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

const HASH = 'ab'.repeat(32);
const OTHER = 'CD'.repeat(32);
const TOKEN = 'ANTHROPIC_API_KEY=a-token-for-the-owner-alone';

/** What an instance with this file of clients is configured to. */
function read(text: string, lines = [TOKEN, 'CLIENT_TOKENS_FILE=clients.yaml']) {
  const { path: directory, remove } = temporaryFolder();
  onTestFinished(remove);
  writeFileSync(`${directory}/clients.yaml`, text);
  const { config, problems } = readLines(['PROVIDER=demo', ...lines], { directory });
  return { config, problems: problems.map(formatProblemLine) };
}

const none = {
  requestsPerMinute: undefined,
  tokensPerDay: undefined,
  costPerMonth: undefined,
  models: undefined,
  expires: undefined,
};

test('clients with all limits and with none, and how many processes share them', () => {
  const { config, problems } = read(`
replicas: 3
clients:
  - name: alice
    sha256: ${HASH}
    requests_per_minute: 60
    tokens_per_day: 5000000
    cost_per_month: 9.5
    models: [big, glm-5]
    expires: 2026-12-31
  - { name: bob@example.org, sha256: ${OTHER} }
`);
  expect(problems).toEqual([]);
  expect(config?.clients).toEqual({
    file: 'clients.yaml',
    replicas: 3,
    clients: [
      {
        name: 'alice',
        sha256: HASH,
        requestsPerMinute: 60,
        tokensPerDay: 5_000_000,
        costPerMonth: 9.5,
        models: ['big', 'glm-5'],
        expires: '2026-12-31',
      },
      { ...none, name: 'bob@example.org', sha256: OTHER.toLowerCase() },
    ],
  });
});

test('JSON, and a list that is empty', () => {
  expect(read(JSON.stringify({ clients: [{ name: 'a', sha256: HASH }] })).config?.clients?.clients).toHaveLength(1);
  expect(read('clients: []\n')).toMatchObject({ problems: [], config: { clients: { replicas: 1, clients: [] } } });
});

test('without the setting nobody has a token of its own', () => {
  expect(read('clients: []', []).config?.clients).toBeUndefined();
});

test('another token is another configuration', () => {
  const [one, other] = [HASH, OTHER].map((hash) => read(`clients: [{name: a, sha256: ${hash}}]`).config?.hash);
  expect(one).not.toBe(other);
});

describe('what is wrong is named with its line', () => {
  test.each([
    ['clients:\n  - sha256: HASH', 'clients.yaml:2 clients[0].name: found nothing.'],
    ['clients:\n  - name: a', 'clients.yaml:2 clients[0].sha256: found nothing.'],
    ['clients:\n  - name: a b\n    sha256: HASH', 'clients.yaml:2 clients[0].name: found "a b". Set a name of 1 to 64'],
    [
      'clients:\n  - name: a\n    sha256: sk-plain-token',
      'clients.yaml:3 clients[0].sha256: found a value of 14 characters',
    ],
    [
      'clients:\n  - {name: a, sha256: HASH, tokens_a_day: 5}',
      'clients.yaml:2 clients[0].tokens_a_day: found a field that means nothing.',
    ],
    [
      'clients:\n  - {name: a, sha256: HASH, tokens_per_day: 0}',
      'clients.yaml:2 clients[0].tokens_per_day: found "0".',
    ],
    ['clients:\n  - {name: a, sha256: HASH, expires: soon}', 'clients.yaml:2 clients[0].expires: found "soon".'],
    [
      'clients:\n  - {name: a, sha256: HASH}\n  - {name: A, sha256: OTHER}',
      'clients.yaml:3 clients[1].name: found a second "A".',
    ],
    [
      'clients:\n  - {name: a, sha256: HASH}\n  - {name: b, sha256: HASH}',
      'clients.yaml:3 clients[1].sha256: found the token of another client.',
    ],
    ['clients: 5', 'clients.yaml:1 clients: found no list of clients.'],
    ['clients: [alice]', 'clients.yaml:1 clients[0]: found no client.'],
    ['replica: 2\nclients: []', 'clients.yaml:1 replica: found a field that means nothing.'],
    ['clients: [', 'clients.yaml:1 file: found text that is neither YAML nor JSON'],
  ])('%j', (text, problem) => {
    const { config, problems } = read(text.replaceAll('HASH', HASH).replaceAll('OTHER', OTHER));
    expect(config).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems.join()).not.toMatch(/plain-token|abab/);
  });

  test('the file is not there, or the owner has no token', () => {
    expect(read('', [TOKEN, 'CLIENT_TOKENS_FILE=gone.yaml']).problems).toEqual([
      expect.stringContaining('CLIENT_TOKENS_FILE: found the file "gone.yaml", which cannot be read (ENOENT)'),
    ]);
    expect(read('clients: []', ['CLIENT_TOKENS_FILE=clients.yaml']).problems).toEqual([
      expect.stringContaining('without ANTHROPIC_API_KEY for you and ./manage. Set ANTHROPIC_API_KEY'),
    ]);
  });
});

describe('an edit of the file', () => {
  const add = { name: 'bob', sha256: OTHER };

  test('begins a new one', () => {
    expect(editClients('', { add })).toBe(`clients:\n  - name: bob\n    sha256: ${OTHER}\n`);
  });

  test('leaves comments, order and all else of YAML', () => {
    const text = `# team\nreplicas: 2 # two pods\nclients:\n  # first\n  - name: alice\n    sha256: ${HASH}\n`;
    const added = editClients(text, { add });
    expect(added).toBe(`${text}  - name: bob\n    sha256: ${OTHER}\n`);
    expect(editClients(added, { removeAt: 1 })).toBe(text);
  });

  test('leaves JSON as JSON', () => {
    const text = JSON.stringify({ replicas: 2, clients: [{ name: 'alice', sha256: HASH }] });
    const { replicas, clients } = JSON.parse(editClients(text, { add }));
    expect([replicas, clients]).toEqual([2, [{ name: 'alice', sha256: HASH }, add]]);
    expect(JSON.parse(editClients(text, { removeAt: 0 }))).toEqual({ replicas: 2, clients: [] });
  });
});
