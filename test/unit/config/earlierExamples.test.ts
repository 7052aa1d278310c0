import { describe, expect, test } from 'vitest';
import { readLines } from '../../helpers/configText.ts';

/** Env blocks as the READMEs of the earlier systems show them, `export` and quotes included. */
const examples: readonly (readonly [string, readonly string[], string, { big: string; small: string }])[] = [
  [
    'OpenAI',
    [
      'OPENAI_API_KEY="sk-openai-key-0001"',
      'OPENAI_BASE_URL="https://api.openai.com/v1"',
      'BIG_MODEL="gpt-4o"',
      'MIDDLE_MODEL="gpt-4o"',
      'SMALL_MODEL="gpt-4o-mini"',
    ],
    'https://api.openai.com/v1/chat/completions',
    { big: 'gpt-4o', small: 'gpt-4o-mini' },
  ],
  [
    'Azure, with the deployment in the address',
    [
      'OPENAI_API_KEY="azure-key-0001"',
      'OPENAI_BASE_URL="https://resource.openai.azure.com/openai/deployments/deployment"',
      'AZURE_API_VERSION="2024-02-15-preview"',
      'BIG_MODEL="gpt-4"',
      'SMALL_MODEL="gpt-35-turbo"',
    ],
    'https://resource.openai.azure.com/openai/deployments/{model}/chat/completions?api-version=2024-02-15-preview',
    { big: 'gpt-4', small: 'gpt-35-turbo' },
  ],
  [
    'Ollama',
    [
      'OPENAI_API_KEY="dummy-key"  # Required but can be dummy',
      'OPENAI_BASE_URL="http://localhost:11434/v1"',
      'BIG_MODEL="llama3.1:70b"',
      'MIDDLE_MODEL="llama3.1:70b"',
      'SMALL_MODEL="llama3.1:8b"',
    ],
    'http://localhost:11434/v1/chat/completions',
    { big: 'llama3.1:70b', small: 'llama3.1:8b' },
  ],
  [
    'Kimi',
    [
      'OPENAI_API_KEY="sk-kimi-0001"',
      'OPENAI_BASE_URL="https://api.moonshot.cn/v1"',
      'BIG_MODEL="moonshot-v1-128k"',
      'MIDDLE_MODEL="moonshot-v1-32k"',
      'SMALL_MODEL="moonshot-v1-8k"',
      'PORT="8081"',
    ],
    'https://api.moonshot.cn/v1/chat/completions',
    { big: 'moonshot-v1-128k', small: 'moonshot-v1-8k' },
  ],
  [
    'GLM',
    [
      'OPENAI_API_KEY="glm-key-0001"',
      'OPENAI_BASE_URL="https://open.bigmodel.cn/api/paas/v4"',
      'BIG_MODEL="glm-4-plus"',
      'MIDDLE_MODEL="glm-4"',
      'SMALL_MODEL="glm-4-flash"',
    ],
    'https://open.bigmodel.cn/api/paas/v4/chat/completions',
    { big: 'glm-4-plus', small: 'glm-4-flash' },
  ],
  [
    'MiniMax',
    [
      'OPENAI_API_KEY="mini-0001"',
      'OPENAI_BASE_URL="https://api.minimax.chat/v1"',
      'BIG_MODEL="abab6.5s-chat"',
      'MIDDLE_MODEL="abab6.5-chat"',
      'SMALL_MODEL="abab5.5-chat"',
    ],
    'https://api.minimax.chat/v1/chat/completions',
    { big: 'abab6.5s-chat', small: 'abab5.5-chat' },
  ],
  [
    'DashScope by exported names',
    [
      'export OPENAI_BASE_URL=https://dashscope.aliyuncs.com/compatible-mode/v1',
      'export CLAUDE_PROXY_BIG_MODEL=qwen3-coder-plus',
      'export CLAUDE_PROXY_SMALL_MODEL=qwen3-coder-flash',
      'CLAUDE_PROXY_LOG_LEVEL=INFO',
    ],
    'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions',
    { big: 'qwen3-coder-plus', small: 'qwen3-coder-flash' },
  ],
  [
    'PREFERRED_PROVIDER=openai',
    ['OPENAI_API_KEY=sk-openai-key-0001', 'PREFERRED_PROVIDER=openai', 'BIG_MODEL=gpt-4o', 'SMALL_MODEL=gpt-4o-mini'],
    'https://api.openai.com/v1/chat/completions',
    { big: 'gpt-4o', small: 'gpt-4o-mini' },
  ],
  [
    'PREFERRED_PROVIDER=google',
    [
      'GEMINI_API_KEY=AIza-gemini-0001',
      'PREFERRED_PROVIDER=google',
      'BIG_MODEL=gemini-2.5-pro-preview-03-25',
      'SMALL_MODEL=gemini-2.0-flash',
    ],
    'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    { big: 'gemini-2.5-pro-preview-03-25', small: 'gemini-2.0-flash' },
  ],
];

describe('examples of the earlier systems work as they are', () => {
  test.each(examples)('%s', (_name, lines, endpoint, tiers) => {
    const { config, problems } = readLines(lines);
    expect(problems).toEqual([]);
    expect(config?.provider.endpoint).toBe(endpoint);
    expect(config?.tiers).toMatchObject(tiers);
  });
});
