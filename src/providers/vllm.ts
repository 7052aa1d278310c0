import type { Preset } from './preset.ts';

/** Sources: vLLM issues 27752 and 38488 (the reasoning field), 20409 (overflow). */
export const vllm: Preset = {
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
  links: { docs: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server' },
  notes: [
    'Set BIG_MODEL to the name that the server gives its model, and QUIRK_CONTEXT_WINDOW to its --max-model-len.',
    'Start it with --enable-auto-tool-choice and the tool and reasoning parsers of your model.',
    'Kimi K2 wants its calls numbered: QUIRK_TOOL_ID=functions. Releases before 2026 call the field of the reasoning otherwise: QUIRK_REASONING_REPLAY=reasoning_content.',
  ],
  checked: '2026-11-20',
};
