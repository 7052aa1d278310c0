import { expect, test } from 'vitest';
import { describeConfig } from '../../../src/config/describe.ts';
import { describePostgres, postgresAddress } from '../../../src/config/parsers.ts';
import { changedRestartOnlySettings } from '../../../src/reload/configReloader.ts';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const reading = (text: string) => {
  const address = postgresAddress.parse(text);
  return address && [describePostgres(address), address.user, address.password?.reveal()];
};

test.each<[string, unknown]>([
  ['postgres://u:p@127.0.0.1/usage', ['usage at 127.0.0.1:5432, without TLS', 'u', 'p']],
  ['postgresql://u@db.example:80/usage', ['usage at db.example:80, by TLS', 'u', undefined]],
  ['postgres://u%40x:a%3Ab%2F%25@[::1]:1/my%20db', ['my db at [::1]:1, without TLS', 'u@x', 'a:b/%']],
  [
    'postgres://u@db.example/usage?sslmode=require',
    ['usage at db.example:5432, by TLS, any certificate', 'u', undefined],
  ],
  ['postgres://u@db.example/usage?sslmode=disable', ['usage at db.example:5432, without TLS', 'u', undefined]],
  ['postgres://u@0x7f000001/usage', ['usage at 127.0.0.1:5432, without TLS', 'u', undefined]],
  ['postgres://db.example/usage', undefined],
  ['postgres://u@db.example', undefined],
  ['postgres://u@db.example/', undefined],
  ['postgres://u@/usage', undefined],
  ['postgres://u@db.example/usage?sslmode=prefer', undefined],
  ['postgres://u@db.example/usage?host=/run', undefined],
  ['postgres://u@db.example/usage?sslmode=require&options=-c', undefined],
  ['postgres://u:a%b@db.example/usage', undefined],
  ['http://u@db.example/usage', undefined],
  ['db.example/usage', undefined],
])('%s', (text, expected) => {
  expect(reading(text)).toEqual(expected);
});

const LINES = ['PROVIDER=demo', 'ANTHROPIC_API_KEY=a-token-of-more-than-24-characters'];
const URL = 'USAGE_POSTGRES_URL=postgres://writer:secret-of-the-db@db.example/usage';

test('the password is in no line of --check, in no problem, and among the secrets', () => {
  const config = configOf([...LINES, URL]);
  const lines = describeConfig(config).join('\n');
  expect(lines).toContain('usage database usage at db.example:5432, by TLS');
  expect(lines).not.toMatch(/secret-of-the-db|writer/);
  expect(config.secrets.map((secret) => secret.reveal())).toContain('secret-of-the-db');
  const { problems } = readLines([...LINES, `${URL}?sslmode=prefer`]);
  expect(problems.map(({ key }) => key)).toEqual(['USAGE_POSTGRES_URL']);
  expect(JSON.stringify(problems)).not.toContain('secret-of-the-db');
});

test('it may come from the environment', () => {
  const [name = '', value = ''] = URL.split(/=(.*)/);
  expect(configOf(LINES, { environment: { [name]: value } }).usageDatabase?.database).toBe('usage');
});

test.each(['169.254.169.254', '0xa9fea9fe', '[fe80::1]', 'metadata.google.internal'])(
  'A8 a database at %s is refused, unless it is allowed',
  (host) => {
    const line = `USAGE_POSTGRES_URL=postgres://u@${host}/usage`;
    expect(problemsOf(['PROVIDER=demo', line])).toEqual(['error 2 USAGE_POSTGRES_URL']);
    expect(problemsOf(['PROVIDER=demo', line, 'ALLOW_LINK_LOCAL=on'])).toEqual([]);
  },
);

test('another address needs a restart, the same one does not', () => {
  const other = [...LINES, URL.replace('secret', 'other')];
  expect(changedRestartOnlySettings(configOf([...LINES, URL]), configOf([...LINES, URL]))).toEqual([]);
  expect(changedRestartOnlySettings(configOf([...LINES, URL]), configOf(other))).toEqual(['USAGE_POSTGRES_URL']);
});
