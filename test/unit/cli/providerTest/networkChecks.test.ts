import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { checkNetwork, checkRoute } from '../../../../src/cli/providerTest/networkChecks.ts';
import { createTrust } from '../../../../src/config/load.ts';
import { createAuthority, createCertificate } from '../../../helpers/certificate.ts';
import { configOf } from '../../../helpers/configText.ts';

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  return portOf(server);
}

const summary = async (url: string, timeoutMs = 5000) =>
  (await checkNetwork(url, timeoutMs)).map(({ check, result, detail }) => [check, result, detail]);

test('a plain server at an address: one connection, nothing else', async () => {
  const port = await serve(createServer((socket) => socket.destroy()));
  expect(await summary(`http://127.0.0.1:${port}/v1/chat`)).toEqual([
    ['DNS', 'skipped', 'an address, not a name'],
    ['TCP', 'ok', `127.0.0.1 port ${port}`],
    ['TLS', 'skipped', 'plain HTTP'],
  ]);
});

test('a name is looked up', async () => {
  const port = await serve(createServer((socket) => socket.destroy()));
  const [dns, tcp] = await summary(`http://localhost:${port}`);
  expect(dns).toEqual(['DNS', 'ok', expect.stringContaining('127.0.0.1')]);
  expect(tcp?.[1]).toBe('ok');
});

test('a name that does not exist (RFC 6761 keeps .invalid free)', async () => {
  const [dns, tcp, tls] = await summary('https://provider.invalid');
  expect(dns).toEqual(['DNS', 'fail', expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)]);
  expect([tcp?.[1], tls?.[1]]).toEqual(['skipped', 'skipped']);
});

test('of the address of a preset the network is at fault, of the user’s own perhaps the address', async () => {
  const [{ detail: own } = { detail: '' }] = await checkNetwork('https://provider.invalid', 5000);
  expect(own).toMatch(/check OPENAI_BASE_URL \(ENOTFOUND\)|check the network of this machine \(EAI_AGAIN\)/);
  const [preset] = await checkNetwork('https://provider.invalid', 5000, { isOwnAddress: false });
  expect(preset?.detail).toMatch(/^no network, or a company proxy \(docs\/COMPANY-NETWORK\.md\) \(E/);
  const kimi = configOf(['PROVIDER=kimi', 'OPENAI_API_KEY=a-key']);
  const { provider } = kimi.modelRefs.of(kimi.tiers.big);
  const moved = { ...provider, preset: { ...provider.preset, baseUrl: 'https://provider.invalid/v1' } };
  const unset = { ...moved, baseUrl: moved.preset.baseUrl, endpoint: 'https://provider.invalid/v1/chat/completions' };
  expect((await checkRoute(unset, kimi, 5000))[0]?.detail).toContain('no network');
  expect((await checkRoute({ ...unset, baseUrl: 'https://provider.invalid' }, kimi, 5000))[0]?.detail).not.toContain(
    'no network',
  );
});

test('nobody listens', async () => {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  expect((await summary(`https://127.0.0.1:${port}`)).slice(1)).toEqual([
    ['TCP', 'fail', 'nothing listens there: check OPENAI_BASE_URL, or start that server (ECONNREFUSED)'],
    ['TLS', 'skipped', 'not reached'],
  ]);
});

test.each([['self-signed', 'localhost', 'its certificate is self-signed: name the file of its root in CA_FILE']])(
  'a certificate that is %s',
  async (_name, host, hint) => {
    const port = await serve(createTlsServer(createCertificate(host), () => {}).on('tlsClientError', () => {}));
    const [, , tls] = await summary(`https://localhost:${port}`);
    expect(tls?.[1]).toBe('fail');
    expect(tls?.[2]).toContain(hint);
  },
);

test('a server that speaks no TLS', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const [, , tls] = await summary(`https://127.0.0.1:${await serve(server)}`);
  expect(tls?.[1]).toBe('fail');
  expect(tls?.[2]).toContain('use http://');
});

test('a server that takes the connection and says nothing is left in time', async () => {
  const server = createServer((socket) => void onTestFinished(() => void socket.destroy()));
  const [, tcp, tls] = await summary(`https://127.0.0.1:${await serve(server)}`, 200);
  expect(tcp?.[1]).toBe('ok');
  expect(tls).toEqual(['TLS', 'fail', 'nothing within 0.2 s']);
});

test('a certificate of an authority of one’s own is verified with its root', async () => {
  const authority = createAuthority('Company Root');
  const certificate = createCertificate('localhost', undefined, authority);
  const port = await serve(createTlsServer(certificate, () => {}).on('tlsClientError', () => {}));
  const trust = createTrust({ file: undefined, certificates: [authority.cert], system: false });
  const [, , tls] = await checkNetwork(`https://localhost:${port}`, 5000, { trust });
  expect(tls).toMatchObject({ result: 'ok', detail: expect.stringContaining('valid until') });
  const [, , without] = await checkNetwork(`https://localhost:${port}`, 5000);
  expect(without?.detail).toContain('CA_FILE');
});
