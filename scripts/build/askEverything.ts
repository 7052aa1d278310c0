const question = {
  model: 'claude-sonnet-4-5',
  max_tokens: 100,
  system: 'You read files.',
  tools: [{ name: 'Read', input_schema: { type: 'object', properties: { file_path: { type: 'string' } } } }],
  messages: [
    { role: 'user', content: 'Read the files.' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: 'a' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'It is empty.' }] },
  ],
};

const REQUESTS: readonly (readonly [path: string, body?: object])[] = [
  ['/health'],
  ['/v1/messages', question],
  ['/v1/messages', { ...question, stream: true }],
  ['/v1/messages/count_tokens', question],
];

/**
 * Asks the instance on the port for one thing of each kind that it does every day.
 * @throws when it refuses one of them.
 */
export async function askEverything(port: number): Promise<void> {
  for (const [path, body] of REQUESTS) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text}`);
  }
}
