import type { Preset } from './preset.ts';

/** Sources: ollama/ollama docs (OpenAI compatibility, context length); effort none and the cut were measured. */
export const ollama = {
  name: 'ollama',
  title: 'Ollama (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:11434/v1',
  keyOptional: true,
  hosts: [],
  keyNames: ['OLLAMA_API_KEY'],
  idsHaveSlash: true,
  models: {},
  quirks: {
    toolChoice: 'omit',
    imageUrls: 'data',
    // A model that does not reason refuses every other effort.
    reasoningStyle: 'effort_off',
    reasoningReplay: 'reasoning',
    silentTruncation: true,
  },
  responses: { families: {}, others: 'chat', quirks: { toolImages: 'after', includeEncrypted: false } },
  links: { docs: 'https://docs.ollama.com/api/openai-compatibility' },
  notes: [
    'BIG_MODEL is a model that you have pulled, one that can call tools.',
    'Its default context is a few thousand tokens, and what is longer is cut silently: start it with OLLAMA_CONTEXT_LENGTH=64000 or more, and have QUIRK_CONTEXT_WINDOW say the same.',
    'A model that reasons does so by itself; QUIRK_REASONING_STYLE=effort lets Claude Code steer it.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Source: ollama/ollama docs (Anthropic compatibility). */
export const ollamaAnthropic = {
  name: 'ollama-anthropic',
  title: 'Ollama (on your own machine), Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'http://localhost:11434',
  keyOptional: true,
  hosts: [],
  keyNames: ollama.keyNames,
  idsHaveSlash: true,
  models: {},
  // It moves system messages inside the conversation to the front, which loses its prompt cache.
  quirks: { dropParams: ['tool_choice'], dropCacheControl: true, foldSystem: true, silentTruncation: true },
  links: { docs: 'https://docs.ollama.com/api/anthropic-compatibility' },
  notes: [
    'BIG_MODEL is a model that you have pulled, one that can call tools.',
    'Its default context is a few thousand tokens, and what is longer is cut silently: start it with OLLAMA_CONTEXT_LENGTH=64000 or more, and have QUIRK_CONTEXT_WINDOW say the same.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: ggml-org/llama.cpp tools/server README, pull request 15780 (overflow); tool_choice and effort none were measured. */
export const llamacpp = {
  name: 'llamacpp',
  otherNames: ['llama.cpp'],
  title: 'llama.cpp server (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:8080/v1',
  keyOptional: true,
  hosts: [],
  keyNames: [],
  idsHaveSlash: true,
  models: {},
  quirks: {
    topK: true,
    imageUrls: 'data',
    // The object form of tool_choice is read as "auto".
    forcedTools: 'alone',
    reasoningStyle: 'effort_off',
    reasoningReplay: 'reasoning_content',
  },
  links: { docs: 'https://github.com/ggml-org/llama.cpp/tree/master/tools/server' },
  notes: [
    'Start it with --jinja, and with -c of 64000 or more; QUIRK_CONTEXT_WINDOW says the same, and BIG_MODEL is any name.',
    'With -np its context is divided among as many places; /v1/models says what is left for each (meta.n_ctx).',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Source: lmstudio.ai/docs (OpenAI compatibility, tool use). */
export const lmstudio = {
  name: 'lmstudio',
  otherNames: ['lm-studio'],
  title: 'LM Studio (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:1234/v1',
  keyOptional: true,
  hosts: [],
  keyNames: [],
  idsHaveSlash: true,
  models: {},
  quirks: { topK: true, toolChoice: 'auto_none', imageUrls: 'data', reasoningStyle: 'none' },
  responses: { families: {}, others: 'chat', quirks: { toolImages: 'after', includeEncrypted: false } },
  links: { docs: 'https://lmstudio.ai/docs/developer/openai-compat' },
  notes: [
    'BIG_MODEL is the identifier of the loaded model, QUIRK_CONTEXT_WINDOW the context that it was loaded with: 64000 or more.',
  ],
  checked: '2026-11-20',
} satisfies Preset;

/** Sources: vLLM issues 27752 and 38488 (the reasoning field), 20409 (overflow). */
export const vllm = {
  name: 'vllm',
  title: 'vLLM (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:8000/v1',
  keyOptional: true,
  hosts: [],
  keyNames: ['VLLM_API_KEY'],
  idsHaveSlash: true,
  models: {},
  quirks: { topK: true, reasoningStyle: 'none', reasoningReplay: 'reasoning' },
  responses: {
    families: {},
    others: 'chat',
    quirks: { toolImages: 'after', assistantText: 'string', reasoningReplay: 'none', includeEncrypted: false },
  },
  links: { docs: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server' },
  notes: [
    'BIG_MODEL is the name that the server gives its model, QUIRK_CONTEXT_WINDOW its --max-model-len: 64000 or more.',
    'Start it with --enable-auto-tool-choice and the tool and reasoning parsers of your model.',
    'Kimi K2 wants its calls numbered: QUIRK_TOOL_ID=functions. Releases before 2026 call the field of the reasoning otherwise: QUIRK_REASONING_REPLAY=reasoning_content.',
  ],
  checked: '2026-11-20',
} satisfies Preset;
