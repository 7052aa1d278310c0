import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Behaviour, type Chunk, delta, frame, openEvents } from '../helpers/fakeUpstream.ts';

/** Answers a provider's client or a search API's, whatever was asked. */
type Answering = (response: ServerResponse) => Promise<void>;

/** The end of a stream of chat completions. */
export const FINISH = `${frame(delta({}, 'stop'))}data: [DONE]\n\n`;
export const FINISH_WITH_CALLS = `${frame(delta({}, 'tool_calls'))}data: [DONE]\n\n`;

/** A frame of one delta, as text. */
export const piece = (fields: Record<string, unknown>, finish: string | null = null) => frame(delta(fields, finish));

/** A frame that calls a tool, or goes on with the call. */
export const toolCall = (index: number, call: { id?: string; name?: string; arguments?: string }): string => {
  const { id, ...rest } = call;
  return piece({ tool_calls: [{ index, ...(id === undefined ? {} : { id }), function: rest }] });
};

/** A frame of usage alone. The text may be what no JSON writer would write. */
export const usageFrame = (usage: string) => `data: {"id":"c","choices":[],"usage":${usage}}\n\n`;

/** Streams these frames and ends. */
export function events(...frames: (string | Buffer | Chunk)[]): Behaviour {
  return (response) => {
    openEvents(response);
    for (const each of frames) {
      response.write(typeof each === 'string' || Buffer.isBuffer(each) ? each : frame(each));
    }
    response.end();
  };
}

/** Writes as fast as the other side reads; resolves with false when that has gone. */
async function writeAll(response: ServerResponse, block: string | Buffer, times: number): Promise<boolean> {
  for (let written = 0; written < times && !response.destroyed; written += 1) {
    if (response.write(block)) continue;
    const gone = new AbortController();
    const { signal } = gone;
    // An abort of the waiting is how the slower of the two ends.
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => {});
    gone.abort();
  }
  return !response.destroyed;
}

export interface Flood {
  /** Stands in front of it. */
  readonly first?: string;
  /** What is repeated. It should be some kB, so that the provider is not what is slow. */
  readonly block: string | Buffer;
  readonly megabytes: number;
  readonly last?: string;
}

/** An event stream of so many megabytes. The client of this provider may break it off whenever it has had enough. */
export function flood({ first = '', block, megabytes, last = FINISH }: Flood): Answering {
  return async (response) => {
    openEvents(response);
    response.write(first);
    const times = Math.ceil((megabytes * 1e6) / block.length);
    if (await writeAll(response, block, times)) response.end(last);
  };
}

/** An answer whose body is written in blocks: what is in front, so many megabytes of the block, what is behind. */
export function large(
  status: number,
  headers: Record<string, string>,
  { first = '', block, megabytes, last = '' }: Flood,
): Answering {
  return async (response) => {
    response.writeHead(status, headers);
    response.write(first);
    const times = Math.ceil((megabytes * 1e6) / block.length);
    if (await writeAll(response, block, times)) response.end(last);
  };
}

/** Bytes that no HTTP library writes, status line included; the connection ends behind them. */
export function rawBytes(...blocks: (string | Buffer)[]): Answering {
  return async (response) => {
    const { socket } = response;
    if (socket === null) return;
    for (const block of blocks) {
      if (socket.destroyed) return;
      await new Promise((resolve) => socket.write(block, resolve));
    }
    socket.end();
  };
}

/** A text of at least so many bytes, made of one that is repeated. */
export const repeated = (text: string, bytes: number) => text.repeat(Math.ceil(bytes / text.length));
