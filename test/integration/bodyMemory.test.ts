import { request as httpRequest } from 'node:http';
import type * as v8 from 'node:v8';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { message, startApp, type TestApp } from '../helpers/startApp.ts';

const MIB = 1024 * 1024;

vi.mock('node:v8', async (importOriginal) => ({
  ...(await importOriginal<typeof v8>()),
  getHeapStatistics: () => ({ used_heap_size: 10 * MIB, external_memory: 5 * MIB, heap_size_limit: 64 * MIB }),
}));

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ PROVIDER: 'demo' });
});
afterAll(() => app.close());

const bodyOf = (megabytes: number) =>
  String(message('demo', { messages: [{ role: 'user', content: 'a'.repeat(megabytes * MIB) }] }).body);

/** Gives the status, also where the rest of the body finds nobody who reads it. */
function post(body: Buffer | string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    let status: number | undefined;
    const type = { 'content-type': 'application/json' };
    const options = { method: 'POST', agent: false, headers: { ...type, ...headers } };
    const request = httpRequest(`${app.url}/v1/messages/count_tokens`, options, (response) => {
      status = response.statusCode ?? 0;
      response.resume();
      response.on('error', () => {});
      resolve(status);
    });
    request.on('error', (error) => {
      if (status === undefined) reject(error);
    });
    request.end(body);
  });
}

test('P12 a compressed body takes as much memory as it is decoded', async () => {
  for (const [name, compress] of Object.entries({ gzip: gzipSync, br: brotliCompressSync })) {
    const encoded = { 'content-encoding': name };
    expect(await post(compress(bodyOf(30)), encoded)).toBe(529);
    expect(await post(compress(bodyOf(10)), encoded)).toBe(200);
  }
});

test('P12 a body of unknown length is counted while it comes', async () => {
  const chunks = { 'transfer-encoding': 'chunked' };
  expect(await post(bodyOf(30), chunks)).toBe(529);
  expect(await post(bodyOf(10), chunks)).toBe(200);
});

test('P12 what was kept for a body is free when it is answered', async () => {
  for (let count = 0; count < 8; count += 1) expect(await post(bodyOf(10))).toBe(200);
  const statuses = await Promise.all(Array.from({ length: 8 }, () => post(bodyOf(10))));
  expect(statuses).toContain(529);
  expect(statuses).toContain(200);
  expect(await post(bodyOf(10))).toBe(200);
});
