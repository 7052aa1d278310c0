/**
 * The floor: about the least that a proxy written for Node can do. `node bench/floor.ts PORT UPSTREAM_PORT` hands requests and
 * answers on over node:http with all their JSON parsed and printed again, event by event, and translates nothing.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxFreeSockets: 2048 });

function relayStream(answer: IncomingMessage, response: ServerResponse): void {
  let rest = '';
  response.writeHead(answer.statusCode ?? 502, { 'content-type': 'text/event-stream' });
  answer.on('data', (text: string) => {
    rest += text;
    const events = rest.split('\n\n');
    rest = events.pop() ?? '';
    let output = '';
    for (const event of events) {
      const value: { type: string } = JSON.parse(event.slice(event.indexOf('data: ') + 6));
      output += `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;
    }
    if (output !== '' && !response.write(output)) {
      answer.pause();
      response.once('drain', () => answer.resume());
    }
  });
  answer.on('end', () => response.end());
}

function relayWhole(answer: IncomingMessage, response: ServerResponse): void {
  let text = '';
  answer.on('data', (part: string) => {
    text += part;
  });
  answer.on('end', () => {
    const body = JSON.stringify(JSON.parse(text));
    response.writeHead(answer.statusCode ?? 502, { 'content-type': 'application/json' }).end(body);
  });
}

function forward(path: string, body: Buffer, response: ServerResponse): void {
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const outgoing = request(
    { host: '127.0.0.1', port: upstreamPort, method: 'POST', path, agent, headers },
    (answer) => {
      answer.setEncoding('utf8');
      if (answer.headers['content-type'] === 'text/event-stream') relayStream(answer, response);
      else relayWhole(answer, response);
    },
  );
  outgoing.on('error', () => response.destroy());
  response.on('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  outgoing.end(body);
}

createServer({ noDelay: true }, (incoming, response) => {
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.on('end', () => {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    forward(incoming.url ?? '/', Buffer.from(JSON.stringify(value)), response);
  });
}).listen({ port, host: '127.0.0.1', backlog: 4096 });
