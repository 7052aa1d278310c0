import type { TlsOptions } from 'node:tls';
import { expect } from 'vitest';
import { isObject } from '../../src/core/json.ts';
import { checkEvents, type MessageEvent } from './eventGrammar.ts';
import { type RawUpstream, type Script, startRawUpstream } from './rawUpstream.ts';
import { type Answer, call, message, type Settings, startApp } from './startApp.ts';

/** What the client must get; a type stands for an error with these words, else the answer is complete. */
export interface Expected {
  /** 200 for an answer, also for one that breaks off inside its event stream. */
  readonly status: number;
  /** All the text that arrives. */
  readonly text?: string;
  readonly type?: string;
  readonly words?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
  /** How often the provider is asked; 1 when left out. */
  readonly asked?: number;
}

export interface Fault {
  readonly script: Script;
  readonly settings?: Settings;
  /** Whether only a limit of time ends it. */
  readonly isSilent?: boolean;
  readonly tls?: { readonly options: TlsOptions; readonly host: string };
  /** Called with the port and must give the base URL, where it is not the provider itself. */
  readonly baseUrl?: (port: number) => string;
}

const KEY = 'canary-key-1f8e2d';

/** Limits of time that no answer meets by accident, however busy the machine is. */
const SETTINGS: Settings = {
  BIG_MODEL: 'model',
  SMALL_MODEL: 'model',
  OPENAI_API_KEY: KEY,
  MAX_RETRIES: '0',
  REQUEST_TIMEOUT: '60',
  QUIRK_IDLE_TIMEOUT_MS: '60000',
  QUIRK_USAGE_WAIT_MS: '100',
};

/** For faults that a limit ends: short enough to be waited for, but not below what undici's coarse timers can keep. */
const SHORT_LIMITS: Settings = { REQUEST_TIMEOUT: '2', QUIRK_IDLE_TIMEOUT_MS: '500' };

function textOf(events: readonly MessageEvent[]): string {
  return events
    .map(({ data }) => (isObject(data['delta']) ? data['delta']['text'] : undefined))
    .filter((text) => typeof text === 'string')
    .join('');
}

function checkStream(answer: Answer, expected: Expected): void {
  expect(answer.headers['content-type']).toMatch(/^text\/event-stream/);
  const events = checkEvents(answer.text);
  expect(textOf(events)).toBe(expected.text ?? '');
  const last = events.at(-1);
  expect(last?.type).toBe(expected.type === undefined ? 'message_stop' : 'error');
  if (expected.type !== undefined) checkError(last?.data ?? {}, expected);
}

function checkError(body: Record<string, unknown>, { type, words }: Expected): void {
  expect(body).toMatchObject({ type: 'error', error: { type } });
  if (words !== undefined) expect((body['error'] as { message: string }).message).toMatch(words);
}

function checkWhole(answer: Answer, expected: Expected): void {
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  const body = JSON.parse(answer.text);
  if (expected.type === undefined) {
    expect(body.content.map((block: { text: string }) => block.text).join('')).toBe(expected.text ?? '');
  } else {
    checkError(body, expected);
    expect(body.request_id).toMatch(/^req_/);
  }
}

async function urlOf(fault: Fault, upstream: RawUpstream): Promise<string> {
  if (fault.baseUrl !== undefined) return fault.baseUrl(upstream.port);
  const origin = fault.tls === undefined ? 'http://127.0.0.1' : `https://${fault.tls.host}`;
  return `${origin}:${upstream.port}/v1`;
}

/**
 * Plays one fault of a provider to an instance of its own and holds the answer against what is expected. Whatever the fault:
 * the answer is legal, the request ends, its line is written, and the provider's key shows nowhere.
 */
export async function playFault(fault: Fault, stream: boolean, expected: Expected): Promise<void> {
  const upstream = await startRawUpstream(fault.script, fault.tls?.options);
  const limits = fault.isSilent === true ? SHORT_LIMITS : {};
  const baseUrl = await urlOf(fault, upstream);
  const app = await startApp({ ...SETTINGS, ...limits, OPENAI_BASE_URL: baseUrl, ...fault.settings });
  try {
    const recorded = app.nextRecord();
    const answer = await call(`${app.url}/v1/messages`, message('model', { stream }));
    expect(answer.status, answer.text).toBe(expected.status);
    if (stream && expected.status === 200) checkStream(answer, expected);
    else checkWhole(answer, expected);
    for (const [name, value] of Object.entries(expected.headers ?? {})) expect(answer.headers[name]).toBe(value);

    const record = await recorded;
    expect(record).toMatchObject({
      outcome: expected.type === undefined ? 'ok' : expected.status === 200 ? 'interrupted' : 'error',
      attempts: expected.asked ?? 1,
    });
    expect(app.services.inFlight.size).toBe(0);
    expect(answer.text + JSON.stringify(answer.headers) + JSON.stringify(app.log)).not.toContain(KEY);
  } finally {
    await app.close();
    await upstream.close();
  }
}
