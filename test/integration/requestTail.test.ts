import { expect, onTestFinished, test, vi } from 'vitest';
import { handleRequest } from '../../src/gateway/requestContext.ts';
import type { IncomingRequest } from '../../src/gateway/services.ts';
import { StubWriter } from '../helpers/gatewayStubs.ts';
import { startApp } from '../helpers/startApp.ts';

const incoming: IncomingRequest = {
  id: 'req_test',
  endpoint: '/v1/messages',
  body: Buffer.from('{}'),
  forwarded: { query: '', headers: {}, credentials: {}, providerKey: undefined },
  session: undefined,
  agent: undefined,
  userAgent: undefined,
};

/** As a regular expression of the redactor does on millions of letters. */
const overflow = () => {
  throw new RangeError('Maximum call stack size exceeded');
};

test.each(['stats', 'usage', 'logger'] as const)(
  'a request that cannot be counted or logged (%s) is answered, and never a rejected promise',
  async (part) => {
    const app = await startApp({ PROVIDER: 'demo' });
    onTestFinished(() => app.close());
    const { services } = app;
    const error = vi.fn();
    const logger = { ...services.logger, error, ...(part === 'logger' ? { request: overflow } : {}) };
    if (part !== 'logger') vi.spyOn(services[part], 'finish').mockImplementation(overflow);
    const writer = new StubWriter();
    const answered = handleRequest({ ...services, logger }, incoming, writer, {
      answer: async (context) => context.writer.sendJson(200, {}, '{}'),
      errorBody: () => '{}',
    });
    await expect(answered).resolves.toMatchObject({ status: 200 });
    expect(writer.status).toBe(200);
    expect(error).toHaveBeenCalledWith(expect.any(String), {
      id: 'req_test',
      reason: expect.stringContaining('RangeError'),
    });
  },
);
