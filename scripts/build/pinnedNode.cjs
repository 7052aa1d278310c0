// Stops with one clear sentence unless this process is the Node that package.json pins for this platform.
// CommonJS in plain old syntax: it must load in whichever Node the machine has.
'use strict';

const { realpathSync } = require('node:fs');
const { join } = require('node:path');
const { optionalDependencies } = require('../../package.json');

const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;

function findMistake() {
  const name = Object.keys(optionalDependencies).find((candidate) => candidate.endsWith(`-${platform}`));
  if (!name) return `there is no pinned Node for ${platform}; package.json lists the supported platforms.`;
  const relativePath = join('node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  let pinned;
  try {
    pinned = realpathSync(join(__dirname, '..', '..', relativePath));
  } catch {
    return `${relativePath} is missing (optional dependencies were left out). Run: npm ci --include=optional`;
  }
  if (realpathSync(process.execPath) !== pinned) {
    return `this is Node ${process.version} at ${process.execPath}, not ${relativePath}. Run it through npm: npm run build, npm test`;
  }
  if (process.version !== `v${optionalDependencies[name]}`) {
    return `${relativePath} is ${process.version}, package.json wants v${optionalDependencies[name]}. Run: npm ci --include=optional`;
  }
  return '';
}

const mistake = findMistake();
if (mistake) {
  process.stderr.write(`claude-code-proxy: ${mistake}\n`);
  process.exit(1);
}
