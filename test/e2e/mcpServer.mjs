// A tool server over stdin and stdout (Model Context Protocol) with two tools whose long names begin alike.
import { createInterface } from 'node:readline';

const tools = ['first', 'second'].map((which) => ({
  name: `look_up_the_${'very_'.repeat(8)}long_record_${which}`,
  description: `Looks up the ${which} record`,
  inputSchema: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
}));

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'records', version: '1.0.0' },
  }),
  'tools/list': () => ({ tools }),
  'tools/call': ({ name, arguments: input }) => ({
    content: [{ type: 'text', text: `${name.split('_').at(-1)} record of ${input.key}` }],
  }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const answer = answers[method];
  const outcome = answer ? { result: answer(params) } : { error: { code: -32601, message: 'no such method' } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...outcome })}\n`);
});
