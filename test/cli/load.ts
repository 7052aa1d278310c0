import { Agent, request } from 'node:http';

/** How requests of one kind went. */
export interface LoadResult {
  readonly sent: number;
  /** What went wrong, one entry for each failed request. */
  readonly failures: readonly string[];
}

export interface Load {
  /** Ends it; resolves when the last answers are there. */
  stop(): Promise<{ readonly keepAlive: LoadResult; readonly newConnections: LoadResult }>;
  /** Resolves when so many more requests of each kind have been answered. */
  answered(count: number): Promise<void>;
}

const CLIENTS = 6;
const BODY = JSON.stringify({
  model: 'claude-haiku-4-5',
  max_tokens: 20,
  stream: true,
  messages: [{ role: 'user', content: 'hello' }],
});
const HEADERS = { 'content-type': 'application/json', 'x-api-key': 'unused' };

/** Sends one message; gives what went wrong, or nothing. */
function send(port: number, agent: Agent | false): Promise<string | undefined> {
  return new Promise((done) => {
    const sent = request({ host: '127.0.0.1', port, path: '/v1/messages', method: 'POST', headers: HEADERS, agent });
    sent.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('error', (error: NodeJS.ErrnoException) => done(`in the answer: ${error.code ?? error.message}`));
      response.on('close', () => {
        const isWhole = response.statusCode === 200 && text.includes('message_stop');
        done(isWhole ? undefined : `status ${response.statusCode}: ${text.slice(-200)}`);
      });
    });
    sent.end(BODY);
  });
}

/** Asks an instance without a pause: some clients keep their connection, others make a new one for each request. */
export function startLoad(port: number): Load {
  const results = {
    keepAlive: { sent: 0, failures: [] as string[] },
    newConnections: { sent: 0, failures: [] as string[] },
  };
  let isOver = false;
  let onAnswer: () => void = () => {};
  const client = async (result: { sent: number; failures: string[] }, agent: Agent | false) => {
    while (!isOver) {
      const failure = await send(port, agent);
      result.sent += 1;
      if (failure !== undefined) result.failures.push(failure);
      onAnswer();
    }
    if (agent) agent.destroy();
  };
  const clients = Array.from({ length: CLIENTS }, () => [
    client(results.keepAlive, new Agent({ keepAlive: true, maxSockets: 1 })),
    client(results.newConnections, false),
  ]).flat();
  return {
    stop: async () => {
      isOver = true;
      await Promise.all(clients);
      return results;
    },
    answered: (count) => {
      const goals = Object.values(results).map((result) => [result, result.sent + count] as const);
      return new Promise((done) => {
        onAnswer = () => goals.every(([{ sent }, goal]) => sent >= goal) && done();
      });
    },
  };
}
