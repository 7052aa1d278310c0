// node codeRecorder.cjs FOLDER ...: runs the bundle in FOLDER with the words that follow, and reports to its parent the port on which it
// listens. When the parent sends the name of another folder, the chunks are written there as the executable loads them
// (executableMain.cjs), with what V8 has compiled of them by then, and the process ends.
'use strict';

const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const { join } = require('node:path');
const { Script } = require('node:vm');

const [folder] = process.argv.splice(2, 1);
const chunks = new Map();
for (const filename of readdirSync(folder)) {
  const code = readFileSync(join(folder, filename), 'latin1');
  const source = `(function (exports, require, module) {${code}\n})`;
  chunks.set(`./${filename}`, { filename, source, script: new Script(source, { filename }), module: undefined });
}

function load(name) {
  const chunk = chunks.get(name);
  if (chunk === undefined) return require(name);
  if (chunk.module === undefined) {
    chunk.module = { exports: {} };
    chunk.script.runInThisContext()(chunk.module.exports, load, chunk.module);
  }
  return chunk.module.exports;
}

process.once('message', (output) => {
  for (const { filename, source, script } of chunks.values()) {
    writeFileSync(join(output, filename), source, 'latin1');
    writeFileSync(join(output, `${filename}.cache`), script.createCachedData());
  }
  process.exit();
});

process.once('disconnect', () => process.exit());

// Any port does, and one that the system chooses is not taken by another build in the meantime.
const { listen } = net.Server.prototype;
net.BoundSocket = function BoundSocket() {};
net.Server.prototype.listen = function (options, ...rest) {
  if (options.port === undefined) return listen.call(this, options, ...rest);
  this.once('listening', () => process.send(this.address().port));
  return listen.call(this, { ...options, handle: undefined, port: 0 }, ...rest);
};

// Or the program would re-execute itself without its rights, and all that is compiled until then would be lost.
process.execve = () => {};

load('./main.cjs');
