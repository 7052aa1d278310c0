import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { askServer } from '../../../../src/cli/envs/ownServer.ts';

type Answers = Readonly<Record<string, object | ((body: string) => object)>>;

/** A server that answers these paths with JSON, all others with 404; gives its address. */
async function startServer(answers: Answers, key?: string): Promise<string> {
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const part of request) body += part;
    const isRefused = key !== undefined && request.headers.authorization !== `Bearer ${key}`;
    const answer = answers[request.url ?? ''];
    response.statusCode = isRefused ? 401 : answer === undefined ? 404 : 200;
    response.end(JSON.stringify(typeof answer === 'function' ? answer(body) : (answer ?? {})));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const list = (...data: object[]) => ({ object: 'list', data });

const servers: readonly (readonly [string, Answers, readonly object[]])[] = [
  [
    'vLLM: max_model_len',
    { '/v1/models': list({ id: 'Qwen/Qwen3-32B', max_model_len: 40_960 }) },
    [{ name: 'Qwen/Qwen3-32B', contextWindow: 40_960 }],
  ],
  [
    'llama.cpp: the place of /props, which -np has made smaller',
    {
      '/v1/models': list({ id: 'model.gguf', meta: { n_ctx_train: 131_072 } }),
      '/props': { default_generation_settings: { n_ctx: 65_536 } },
    },
    [{ name: 'model.gguf', contextWindow: 65_536, mostContext: 131_072, isLoaded: true }],
  ],
  [
    'llama.cpp: meta.n_ctx',
    { '/v1/models': list({ id: 'model.gguf', meta: { n_ctx_train: 131_072, n_ctx: 32_768 } }) },
    [{ name: 'model.gguf', contextWindow: 32_768, mostContext: 131_072 }],
  ],
  [
    'Ollama: the context of what runs, and who calls tools; what runs first',
    {
      '/v1/models': list({ id: 'small' }, { id: 'coder' }, { id: 'fixed' }),
      '/api/tags': { models: [{ name: 'small' }, { name: 'coder' }, { name: 'fixed' }] },
      '/api/ps': { models: [{ name: 'coder', context_length: 65_536 }] },
      '/api/show': (body) => {
        const { model } = JSON.parse(body);
        return {
          parameters: model === 'fixed' ? 'stop "x"\nnum_ctx                        32000' : '',
          model_info: { 'general.architecture': 'q', 'q.context_length': 262_144 },
          capabilities: model === 'small' ? ['completion'] : ['completion', 'tools'],
        };
      },
    },
    [
      { name: 'coder', contextWindow: 65_536, mostContext: 262_144, isLoaded: true, callsTools: true },
      { name: 'small', mostContext: 262_144, callsTools: false },
      { name: 'fixed', contextWindow: 32_000, mostContext: 262_144, callsTools: true },
    ],
  ],
  [
    'LM Studio: the context of what is loaded; no embeddings',
    {
      '/v1/models': list({ id: 'qwen' }, { id: 'nomic' }),
      '/api/v0/models': list(
        { id: 'qwen', state: 'loaded', loaded_context_length: 32_768, max_context_length: 131_072 },
        { id: 'nomic', type: 'embeddings', state: 'not-loaded' },
      ),
    },
    [{ name: 'qwen', contextWindow: 32_768, mostContext: 131_072, isLoaded: true }],
  ],
  [
    'a gateway',
    { '/v1/models': list({ id: 'm', context_length: 200_000 }, { id: 'n' }) },
    [{ name: 'm', contextWindow: 200_000 }, { name: 'n' }],
  ],
  [
    'answers that make no sense',
    { '/v1/models': list({ id: 7 }, { id: '' }, { id: 'm', max_model_len: -1 }), '/props': [] },
    [{ name: 'm' }],
  ],
];

test.each(servers)('%s', async (_what, answers, expected) => {
  const url = await startServer(answers);
  for (const address of [`${url}/v1`, `${url}/v1/`, url]) {
    const { models, failure, baseUrl } = await askServer(address, {});
    expect(models).toEqual(expected);
    expect(baseUrl).toBe(address === url ? `${url}/v1` : undefined);
    expect(failure).toBeUndefined();
  }
});

test('an API below another path than /v1 is asked there', async () => {
  const url = await startServer({ '/openai/models': list({ id: 'm' }) });
  expect(await askServer(`${url}/openai`, {})).toEqual({ models: [{ name: 'm' }] });
});

test('the key goes with each question, and a refused one is said', async () => {
  const url = await startServer({ '/v1/models': list({ id: 'm' }) }, 'right');
  const answer = { models: [{ name: 'm' }], baseUrl: `${url}/v1` };
  expect(await askServer(url, { authorization: 'Bearer right' })).toEqual(answer);
  expect(await askServer(url, {})).toEqual({ models: [], failure: 'it answers 401', refusesKey: true });
});

test('a server that is not there, or lists nothing, is said', async () => {
  const url = await startServer({});
  expect(await askServer(url, {})).toEqual({ models: [], failure: 'it answers 404', refusesKey: false });
  const { failure, isUnreachable } = await askServer('http://127.0.0.1:1', {});
  expect(failure).toMatch(/ECONNREFUSED|bad port/);
  expect(isUnreachable).toBe(true);
});
