import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** How a connection breaks: with a reset, with an early end, or by bytes that go nowhere while it stays open. */
export type Break = 'reset' | 'end' | 'black hole';

/** What one way of a connection does to the bytes that pass. */
export interface Chaos {
  /** Each piece comes so much later. */
  readonly latencyMs?: number;
  /** Bytes come in pieces of so many, each in a packet of its own. */
  readonly sliceBytes?: number;
  readonly bytesPerSecond?: number;
  /** After so many bytes the connection breaks; 0: as soon as the first would pass. */
  readonly breakAfter?: number;
  readonly how?: Break;
}

export interface ChaosProxy {
  readonly port: number;
  /** For the connections that come from now on. */
  plan(ways: { readonly requests?: Chaos; readonly answers?: Chaos }): void;
  /** Bytes of answers that the last connection let pass. */
  passed(): number;
  close(): Promise<void>;
}

const NO_CHAOS: Chaos = {};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Hands the bytes of one way on as the chaos says; `onPassed` gets how many have passed. */
async function carry(from: Socket, to: Socket, chaos: Chaos, onPassed: (total: number) => void): Promise<void> {
  const { latencyMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY, breakAfter = Number.POSITIVE_INFINITY } = chaos;
  let passed = 0;
  for await (const bytes of from) {
    for (const slice of slices(bytes, chaos.sliceBytes ?? bytes.length)) {
      const wait = latencyMs + (slice.length / bytesPerSecond) * 1000;
      if (wait > 0) await pause(wait);
      const allowed = slice.subarray(0, Math.max(0, breakAfter - passed));
      if (allowed.length > 0) await new Promise((resolve) => to.write(allowed, resolve));
      passed += allowed.length;
      onPassed(passed);
      if (passed < breakAfter) continue;
      // What is on its way must arrive before a reset, which would overtake it.
      if (chaos.how === 'reset') return void setTimeout(() => to.resetAndDestroy(), 5);
      if (chaos.how === 'end') return void to.destroySoon();
    }
  }
  if (passed < breakAfter) to.end();
}

/** A connection between the proxy and its provider that misbehaves below HTTP. */
export async function startChaosProxy(targetPort: number): Promise<ChaosProxy> {
  const open = new Set<Socket>();
  let planned: { requests?: Chaos; answers?: Chaos } = {};
  let passed = 0;
  const server = createServer((client) => {
    const { requests = NO_CHAOS, answers = NO_CHAOS } = planned;
    const provider = connect(targetPort, '127.0.0.1');
    passed = 0;
    for (const socket of [client, provider]) {
      socket.setNoDelay(true);
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    client.on('close', () => provider.destroy());
    // Who is cut off here ends the other side by what it did not get.
    carry(client, provider, requests, () => {}).catch(() => provider.destroy());
    carry(provider, client, answers, (total) => {
      passed = total;
    }).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    plan: (ways) => {
      planned = ways;
    },
    passed: () => passed,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
