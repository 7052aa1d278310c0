import { createConnection } from 'node:net';

/** On this machine a listener answers within one. */
const TIMEOUT_MS = 150;

/** Whether anybody takes connections there; without HTTP, which would take longer to load than to ask. */
export function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: TIMEOUT_MS });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => finish(true));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
  });
}
