import type { Plugin } from 'rolldown';

/** Modules of packages that an instance never uses, by what is done with them at the start nevertheless. */
export const LEFT_OUT: Readonly<Record<string, 'imported' | 'called'>> = {
  // Bodies are text or bytes and never forms, and providers are spoken to by HTTP/1.1 (src/upstream/client.ts).
  'undici/lib/dispatcher/client-h2.js': 'imported',
  'undici/lib/web/fetch/body.js': 'imported',
  'undici/lib/web/fetch/formdata.js': 'imported',
  'undici/lib/web/webidl/index.js': 'imported',
  // Routes have no JSON schemas.
  '@fastify/ajv-compiler/index.js': 'called',
  '@fastify/fast-json-stringify-compiler/index.js': 'called',
  // No plugin names the versions of Fastify that it is for, and no request is made without a socket.
  'semver/index.js': 'imported',
  'light-my-request/index.js': 'imported',
};

/** Fastify alone goes without these kinds of servers, which nobody starts: what others import from Node is what they get. */
const SERVERS = /^node:http(?:s|2)$/;

/** What stands in the place of a module: whoever uses anything of it fails. */
function standIn(name: string, use: 'imported' | 'called'): string {
  const words = JSON.stringify(`${name} is left out of this program (scripts/build/leftOut.ts)`);
  const refuse = `function refuse() { throw new Error(${words}); }`;
  if (use === 'called') return `${refuse} module.exports = () => refuse;`;
  return `${refuse} module.exports = new Proxy(refuse, { construct: refuse, get: refuse });`;
}

/** The path of a module of a package, seen from the folder of the packages; empty for other modules. */
function nameInPackages(path: string): string {
  const [, ...names] = path.replaceAll('\\', '/').split('/node_modules/');
  return names.at(-1) ?? '';
}

/**
 * Leaves out of the bundle what packages bring along, load and evaluate at each start, and an instance never uses: together with
 * scripts/build/undici.js 1.1 of 2.5 MB, 32 ms of the start and 11 MiB of memory. Of what is missing nothing can be used unnoticed.
 */
export const leaveOut: Plugin = {
  name: 'leave-out',
  resolveId: {
    filter: { id: SERVERS },
    handler: (name, importer = '') => (nameInPackages(importer).startsWith('fastify/') ? `\0${name}` : undefined),
  },
  load: (id) => {
    if (id.startsWith('\0node:')) return standIn(id.slice(1), 'imported');
    const name = nameInPackages(id);
    const use = LEFT_OUT[name];
    return use === undefined ? undefined : standIn(name, use);
  },
};
