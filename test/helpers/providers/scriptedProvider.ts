import { expect, onTestFinished } from 'vitest';
import { type FakeUpstream, json, openEvents, type ReceivedRequest, startFakeUpstream } from '../fakeUpstream.ts';
import type { Turn } from '../turn.ts';

export type Body = ReceivedRequest['body'];

/** A provider that refuses what the real one refuses, and answers in the odd forms in which the real one answers. */
export interface ScriptedProvider {
  /** Name of its preset. */
  readonly name: string;
  /** What stands between the host and `/chat/completions`. */
  readonly basePath: string;
  /** Everything that the real one would answer 400 to; empty when the request is sound. */
  readonly refuse: (body: Body) => string[];
  /** Its error body. */
  readonly errorBody: (problem: string) => unknown;
  /** The data of the events of a streamed turn; a line that begins with a colon is sent as it is. */
  readonly stream: (turn: Turn, body: Body) => (object | string)[];
  /** A turn as one body. */
  readonly whole: (turn: Turn, body: Body) => object;
}

export interface RunningProvider extends FakeUpstream {
  /** Value of OPENAI_BASE_URL. */
  readonly baseUrl: string;
}

/**
 * Runs a scripted provider until the end of the test, which fails if the provider had to refuse anything. `choose` is the
 * model.
 */
export async function startScriptedProvider(
  provider: ScriptedProvider,
  choose: (request: ReceivedRequest) => Turn,
): Promise<RunningProvider> {
  const refusals: string[] = [];
  const upstream = await startFakeUpstream({
    '*': (response, request) => {
      const { body, path } = request;
      const problems = provider.refuse(body);
      if (path !== `${provider.basePath}/chat/completions`) problems.push(`no endpoint at ${path}`);
      refusals.push(...problems);
      if (problems.length > 0) return json(400, provider.errorBody(problems.join('; ')))(response, request);
      const turn = choose(request);
      if (body['stream'] !== true) return json(200, provider.whole(turn, body))(response, request);
      openEvents(response);
      response.end(`${provider.stream(turn, body).map(frame).join('')}data: [DONE]\n\n`);
    },
  });
  onTestFinished(async () => {
    await upstream.close();
    expect(refusals).toEqual([]);
  });
  return { ...upstream, baseUrl: new URL(upstream.url).origin + provider.basePath };
}

function frame(data: object | string): string {
  if (typeof data === 'string' && data.startsWith(':')) return `${data}\n\n`;
  return `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

/** Cuts a text into two pieces of about the same length. */
export function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

/** The text up to the first stop string of the request, as a model that honours them gives it. */
export function untilStop(text: string, body: Body): string {
  const stops = Array.isArray(body['stop']) ? body['stop'].map(String) : [];
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
