/**
 * What runs in the hooks' thread, as text: the executable has no second file that a thread could start from. It loads the user's
 * module (`workerData.url`), says which hooks it has, and answers each call with the changed JSON text, if it was changed.
 */
export const WORKER_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');

const isObject = (value) => typeof value === 'object' && value !== null;
const forms = {
  request: (value) => isObject(value) && typeof value.model === 'string' && Array.isArray(value.messages),
  response: (value) => isObject(value) && value.type === 'message' && Array.isArray(value.content),
};
const describe = (error) => ({ reason: String(error), stack: String(isObject(error) ? error.stack : '') });

async function run(hook, name, text, info) {
  const value = JSON.parse(text);
  // As it was: the hook may change the value in place and yet return it.
  const before = JSON.stringify(value);
  const result = await hook(value, info);
  if (result === undefined) return undefined;
  if (!forms[name](result)) throw new TypeError('it returned something that is no ' + name);
  const after = JSON.stringify(result);
  return after === before ? undefined : after;
}

import(workerData.url).then(
  (hooks) => {
    parentPort.on('message', ({ id, name, text, info }) => {
      run(hooks[name], name, text, info).then(
        (changed) => parentPort.postMessage({ id, changed }),
        (error) => parentPort.postMessage({ id, failure: describe(error) }),
      );
    });
    parentPort.postMessage({ loaded: workerData.names.filter((name) => typeof hooks[name] === 'function') });
  },
  (error) => parentPort.postMessage({ broken: describe(error) }),
);
`;
