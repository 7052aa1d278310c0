import type { Preset } from './preset.ts';

/** Sources: ggml-org/llama.cpp tools/server README, pull request 15780 (overflow). */
export const llamacpp: Preset = {
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
  quirks: { topK: true, imageUrls: 'data', reasoningStyle: 'none', reasoningReplay: 'reasoning_content' },
  links: { docs: 'https://github.com/ggml-org/llama.cpp/tree/master/tools/server' },
  notes: [
    'Start it with --jinja, and with -c of 64000 or more; set QUIRK_CONTEXT_WINDOW to the same, and BIG_MODEL to any name.',
    'It listens on port 8080 as an instance does by default: give this instance another PORT.',
  ],
  checked: '2026-11-20',
};
