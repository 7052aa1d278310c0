// What the executable begins with: it runs the chunks of the bundle, which lie in it as assets, each with its code cache
// (scripts/build/codeCache.ts). A cache that V8 does not take, on a processor of another kind perhaps, is as good as none; one that was
// made for another platform has none.
'use strict';

const { createRequire } = require('node:module');
const { getAssetKeys, getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

const modules = new Map();
const assets = new Set(getAssetKeys());

/** The bytes of an asset, which stay where the executable has them. */
const assetOf = (name) => Buffer.from(getRawAsset(name));

/**
 * Modules of Node that take milliseconds to load, and that a start can do without: each is loaded when something of it is first used.
 * A process that executes itself again needs no cryptography, and an instance whose providers are on this machine no TLS.
 */
const LATE = new Set(['crypto', 'tls', 'zlib']);

function requireLate(name) {
  let module;
  const get = (_, member) => {
    module ??= require(name); // each `require` goes through all that the module exports
    return module[member];
  };
  return new Proxy({}, { get });
}

/** Does for the chunks what `require` does for the modules of Node. */
function load(name) {
  if (LATE.has(name.replace('node:', ''))) return requireLate(name);
  if (!name.startsWith('./')) return require(name);
  const loaded = modules.get(name);
  if (loaded !== undefined) return loaded.exports;
  const filename = name.slice(2);
  const cachedData = assets.has(`${filename}.cache`) ? assetOf(`${filename}.cache`) : undefined;
  const script = new Script(assetOf(filename).toString('latin1'), { filename, cachedData });
  const module = { exports: {} };
  modules.set(name, module);
  script.runInThisContext()(module.exports, load, module);
  return module.exports;
}

// A package of the system has no other Node for the manager than this: `--manager FILE ...` runs that file.
const [, , option, file] = process.argv;
if (option === '--manager') {
  process.argv.splice(1, 3, file);
  createRequire(file)(file);
} else load('./main.cjs');
