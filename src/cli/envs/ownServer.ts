import { tlsHint } from '../../core/errors.ts';
import { asString, isObject, type Json, type JsonObject, parseObject } from '../../core/json.ts';

/** A model of a server, as far as the server describes it. */
export interface ServedModel {
  readonly name: string;
  /** In tokens, of what is loaded or will be; undefined when the server does not say. */
  readonly contextWindow?: number | undefined;
  /** In tokens: the most that the model was trained for. */
  readonly mostContext?: number | undefined;
  readonly isLoaded?: boolean;
  /** False when the server says that the model knows no tools, without which Claude Code is of no use. */
  readonly callsTools?: boolean;
  /** A model that answers nothing, as it only measures texts. */
  readonly isEmbedding?: boolean;
}

/** What a server answers when it is asked for its models. */
export interface ServerAnswer {
  readonly models: readonly ServedModel[];
  /** The address of its API, where that is the given one and `/v1` behind it; undefined where it is the given one. */
  readonly baseUrl?: string;
  /** Why it could not be asked; undefined when it answered. */
  readonly failure?: string;
  /** Whether nothing answered at all. */
  readonly isUnreachable?: boolean;
  /** Whether it wants another key, or one at all. */
  readonly refusesKey?: boolean;
}

const TIMEOUT_MS = 3000;
/** A server of one's own has some models; a list of thousands is that of a vendor. */
const MOST_MODELS = 500;
/** Of models that are asked for one by one. */
const MOST_DESCRIBED = 20;

/** Asks one path of the server: an object, undefined for any other answer. */
type AskPath = (path: string, body?: JsonObject) => Promise<JsonObject | undefined>;

/**
 * The models that a server of the user's own offers, and the context window of each, from the lists of OpenAI's API (vLLM and
 * llama.cpp add the window), Ollama, LM Studio and llama.cpp. Never throws.
 * @param baseUrl the address of the API, with or without `/v1` at its end
 * @param headers those with the key
 */
export async function askServer(baseUrl: string, headers: Readonly<Record<string, string>>): Promise<ServerAnswer> {
  const address = baseUrl.endsWith('/') ? baseUrl.slice(0, -1) : baseUrl;
  const root = address.endsWith('/v1') ? address.slice(0, -'/v1'.length) : address;
  let failure: string | undefined;
  let refusesKey = false;
  let isUnreachable = true;
  const ask: AskPath = async (path, body) => {
    try {
      const response = await fetch(`${root}${path}`, {
        headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
      isUnreachable = false;
      if (response.ok) return parseObject(await response.text());
      failure ??= `it answers ${response.status}`;
      if (response.status === 401 || response.status === 403) refusesKey = true;
    } catch (error) {
      failure ??= describeFailure(error);
    }
    return undefined;
  };
  const versioned = await ask('/v1/models');
  const listed = versioned ?? (root === address ? await ask('/models') : undefined);
  const described = await Promise.all([askOllama(ask), askLmStudio(ask), askLlamaCpp(ask)]);
  const models = mergeModels([...described.flat(), ...readList(listed)]);
  return models.length === 0 && listed === undefined && failure !== undefined
    ? { models, failure, refusesKey, ...(isUnreachable ? { isUnreachable } : {}) }
    : { models, ...(versioned !== undefined && root === address ? { baseUrl: `${address}/v1` } : {}) };
}

function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const reason = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in reason ? String(reason.code) : '';
  return tlsHint(code) ?? (code || reason.message);
}

/** Several descriptions of one model as one, where what is known first holds; those that are loaded first. */
function mergeModels(all: readonly ServedModel[]): readonly ServedModel[] {
  const merged = new Map<string, ServedModel>();
  for (const model of all) {
    const known = Object.entries(merged.get(model.name) ?? {}).filter(([, value]) => value !== undefined);
    merged.set(model.name, { ...model, ...Object.fromEntries(known) });
  }
  return [...merged.values()]
    .filter(({ isEmbedding }) => isEmbedding !== true)
    .sort((a, b) => Number(b.isLoaded === true) - Number(a.isLoaded === true));
}

const positive = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;

/** The objects in a list of an answer. */
function objectsIn(answer: JsonObject | undefined, field: string): readonly JsonObject[] {
  const list = answer?.[field];
  return Array.isArray(list) ? list.filter(isObject).slice(0, MOST_MODELS) : [];
}

/** `/v1/models`: `max_model_len` is vLLM's, `meta` llama.cpp's, the others those of gateways. */
function readList(answer: JsonObject | undefined): ServedModel[] {
  return objectsIn(answer, 'data').flatMap((entry) => {
    const name = asString(entry['id']);
    const meta = isObject(entry['meta']) ? entry['meta'] : {};
    const window = [entry['max_model_len'], meta['n_ctx'], entry['context_length'], entry['context_window']];
    if (name === undefined || name === '') return [];
    return [
      {
        name,
        contextWindow: window.map(positive).find((one) => one !== undefined),
        mostContext: positive(meta['n_ctx_train']),
      },
    ];
  });
}

/** Ollama: what is pulled, what runs with which context, and what each can do. */
async function askOllama(ask: AskPath): Promise<ServedModel[]> {
  const pulled = objectsIn(await ask('/api/tags'), 'models').flatMap(({ name }) => asString(name) ?? []);
  if (pulled.length === 0) return [];
  const running = objectsIn(await ask('/api/ps'), 'models');
  return Promise.all(
    pulled.map(async (name, index): Promise<ServedModel> => {
      const shown = index < MOST_DESCRIBED ? await ask('/api/show', { model: name }) : undefined;
      const now = running.find((entry) => entry['name'] === name);
      const facts = Object.entries(isObject(shown?.['model_info']) ? shown['model_info'] : {});
      const capabilities = shown?.['capabilities'];
      return {
        name,
        contextWindow: positive(now?.['context_length']) ?? fixedContext(asString(shown?.['parameters']) ?? ''),
        mostContext: positive(facts.find(([key]) => key.endsWith('.context_length'))?.[1]),
        ...(now === undefined ? {} : { isLoaded: true }),
        ...(Array.isArray(capabilities) ? { callsTools: capabilities.includes('tools') } : {}),
      };
    }),
  );
}

/** The window that the model's own parameters set, a line each: `num_ctx 32000`. */
function fixedContext(parameters: string): number | undefined {
  const line = parameters.split('\n').find((one) => one.startsWith('num_ctx'));
  return line === undefined ? undefined : positive(Number(line.slice('num_ctx'.length)));
}

/** LM Studio: only a loaded model has a window. */
async function askLmStudio(ask: AskPath): Promise<ServedModel[]> {
  return objectsIn(await ask('/api/v0/models'), 'data').flatMap((entry): ServedModel[] => {
    const name = asString(entry['id']);
    if (name === undefined) return [];
    const capabilities = entry['capabilities'];
    return [
      {
        name,
        contextWindow: positive(entry['loaded_context_length']),
        mostContext: positive(entry['max_context_length']),
        ...(entry['type'] === 'embeddings' ? { isEmbedding: true } : {}),
        ...(entry['state'] === 'loaded' ? { isLoaded: true } : {}),
        ...(Array.isArray(capabilities) ? { callsTools: capabilities.includes('tool_use') } : {}),
      },
    ];
  });
}

/** llama.cpp: what one place of the server has left of its context. */
async function askLlamaCpp(ask: AskPath): Promise<ServedModel[]> {
  const properties = await ask('/props');
  const settings = properties?.['default_generation_settings'];
  const window = isObject(settings) ? positive(settings['n_ctx']) : undefined;
  const [first] = window === undefined ? [] : readList(await ask('/v1/models'));
  return first === undefined ? [] : [{ ...first, contextWindow: window, isLoaded: true }];
}
