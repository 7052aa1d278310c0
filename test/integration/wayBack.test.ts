import { afterAll, beforeAll, expect, test } from 'vitest';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { ask, StubUpstream, StubWriter, stubBackends } from '../helpers/gatewayStubs.ts';
import { startApp, type TestApp } from '../helpers/startApp.ts';

/** A client that notes through which functions of the project each output has come. */
class TracingWriter extends StubWriter {
  readonly stacks: string[][] = [];

  override write(output: string | Uint8Array): boolean {
    const lines = String(new Error('here').stack).split('\n');
    this.stacks.push(lines.flatMap((line) => /\/src\/([^/]+)\//.exec(line)?.[1] ?? []));
    return super.write(output);
  }
}

let app: TestApp;

beforeAll(async () => {
  app = await startApp({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', BIG_MODEL: 'model', SMALL_MODEL: 'model' });
});

afterAll(() => app.close());

/**
 * The way of the bytes: upstream asks its reader (translate) for the output and hands that to gateway, which writes it into the server's
 * writer, which writes into the socket. These are four calls between layers, of which the first has returned when the output goes on.
 */
test('what the provider sends reaches the client by way of upstream and gateway alone', async () => {
  const upstream = new StubUpstream();
  const services = { ...app.services, backends: stubBackends(upstream) };
  const { writer, answered } = ask(services, true, new TracingWriter());
  upstream.open();
  upstream.say(frame(delta({ content: 'one' })));
  upstream.say(frame(delta({ content: 'two' })));
  upstream.say(frame(delta({}, 'stop')), 'data: [DONE]\n\n');
  upstream.call.onEnd();
  await answered;
  const { stacks } = writer as TracingWriter;
  expect(stacks.length).toBeGreaterThan(2);
  for (const layers of stacks.slice(0, 2)) {
    expect(layers.filter((layer, index) => layer !== layers[index - 1])).toEqual(['gateway', 'upstream']);
    expect(layers.length).toBeLessThanOrEqual(5);
  }
});
