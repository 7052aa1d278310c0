import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer as createProxy } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Authority, createAuthority, createCertificate } from '../helpers/certificate.ts';
import { call, message, type Settings } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const ANSWER = JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });

async function listen(server: Server & { closeAllConnections?(): void }): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A provider whose certificate an authority has signed. */
function startProvider(hostName: string, authority: Authority) {
  const server = createServer(createCertificate(hostName, undefined, authority), (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER);
  });
  return { server, port: listen(server) };
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const at = (address: string): Settings => ({
  PROVIDER: 'custom',
  OPENAI_BASE_URL: address,
  OPENAI_API_KEY: 'canary.of.this.test',
  BIG_MODEL: 'x',
  MAX_RETRIES: '0',
});

async function start(settings: Settings, environment: NodeJS.ProcessEnv = {}) {
  const binary = await startBinary(settings, 'test', undefined, environment);
  onTestFinished(() => binary.stop());
  const ask = async () => {
    const { status, text } = await call(`${binary.url}/v1/messages`, message('claude-opus-5'));
    return { status, text };
  };
  return { binary, ask };
}

const FINE = { status: 200, text: expect.stringContaining('fine') };

test('CA_FILE: a provider behind an authority of one’s own is reached; without it the message names the setting', async () => {
  const authority = createAuthority('Company Root');
  const folder = folderWith({ 'company.pem': authority.cert });
  const settings = at(`https://localhost:${await startProvider('localhost', authority).port}/v1`);
  const trusted = await start({ ...settings, CA_FILE: join(folder, 'company.pem') });
  expect(await trusted.ask()).toEqual(FINE);
  const other = await start(settings);
  expect(await other.ask()).toEqual({ status: 502, text: expect.stringMatching(/CA_FILE.*docs\/COMPANY-NETWORK\.md/) });
});

test('CA_FILE and HTTPS_PROXY together: the provider behind the proxy is trusted, too', async () => {
  const authority = createAuthority('Company Root');
  const folder = folderWith({ 'company.pem': authority.cert });
  const provider = await startProvider('provider.test', authority).port;
  const asked: string[] = [];
  const proxy = createProxy().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const tunnel = connect(provider, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      tunnel.pipe(socket).pipe(tunnel);
    });
    for (const end of [tunnel, socket]) end.on('error', () => {});
  });
  const { ask } = await start({
    ...at('https://provider.test/v1'),
    HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}`,
    CA_FILE: join(folder, 'company.pem'),
  });
  expect(await ask()).toEqual(FINE);
  expect(asked).toEqual(['provider.test:443']);
});

test.skipIf(process.platform !== 'linux')('SYSTEM_CA: the authorities of this machine count', async () => {
  const authority = createAuthority('Company Root');
  const folder = folderWith({ 'machine.pem': authority.cert });
  const settings = at(`https://localhost:${await startProvider('localhost', authority).port}/v1`);
  const machine = { SSL_CERT_FILE: join(folder, 'machine.pem'), SSL_CERT_DIR: folder };
  expect(await (await start({ ...settings, SYSTEM_CA: 'on' }, machine)).ask()).toEqual(FINE);
  expect((await (await start(settings, machine)).ask()).status).toBe(502);
});

test('a renewed CA_FILE is taken over while the instance runs, and a broken one is not', async () => {
  const [before, after] = [createAuthority('Old Root'), createAuthority('New Root')];
  const folder = folderWith({ 'company.pem': before.cert, 'broken.pem': 'nothing', 'new.pem': after.cert });
  const file = join(folder, 'company.pem');
  const { server, port } = startProvider('localhost', before);
  const { binary, ask } = await start({ ...at(`https://localhost:${await port}/v1`), CA_FILE: file });
  expect(await ask()).toEqual(FINE);
  renameSync(join(folder, 'broken.pem'), file);
  await waitUntil('it is reported', async () => binary.output().includes('which holds no certificate in PEM'));
  expect(await ask()).toEqual(FINE);
  renameSync(join(folder, 'new.pem'), file);
  await waitUntil('it is taken over', async () => binary.output().includes('the configuration was changed'));
  server.setSecureContext(createCertificate('localhost', undefined, after));
  server.closeAllConnections();
  await waitUntil('the new root counts', async () => (await ask()).status === 200);
});

test('a misspelt PROVIDER while the instance runs: the configuration before it goes on', async () => {
  const { binary, ask } = await start({ PROVIDER: 'demo' });
  writeFileSync(
    join(binary.folder, 'test.env'),
    `PORT=${binary.port}\nPROVDER=demo\nOPENAI_API_KEY=canary.other.key\n`,
  );
  await waitUntil('it is reported', async () => binary.output().includes('PROVDER'));
  expect(binary.output()).toMatch(/test\.env:2 PROVDER: found a name that means nothing here/);
  expect((await ask()).status).toBe(200);
  expect(binary.output()).not.toContain('canary.other.key');
});
