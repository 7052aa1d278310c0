// A tool server over stdin and stdout (Model Context Protocol) with one tool, whose first call brings a second one.
import { createInterface } from 'node:readline';

const toolNamed = (name) => ({
  name,
  description: `The tool ${name}`,
  inputSchema: { type: 'object', properties: {} },
});
const tools = [toolNamed('open_archive')];

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

/** Sends the result of the first call; waits until the client has asked for the longer list. */
let sendFirstResult = () => {};

const handlers = {
  initialize: (id, { protocolVersion }) => {
    const serverInfo = { name: 'archive', version: '1.0.0' };
    send({ id, result: { protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo } });
  },
  'tools/list': (id) => {
    send({ id, result: { tools } });
    sendFirstResult();
    sendFirstResult = () => {};
  },
  'tools/call': (id, { name }) => {
    const sendResult = () => send({ id, result: { content: [{ type: 'text', text: `${name} has run` }] } });
    if (tools.length > 1) return sendResult();
    tools.push(toolNamed('read_archive'));
    sendFirstResult = sendResult;
    send({ method: 'notifications/tools/list_changed' });
  },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const handle = handlers[method];
  if (handle === undefined) send({ id, error: { code: -32601, message: 'no such method' } });
  else handle(id, params);
});
