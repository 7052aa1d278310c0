'use strict';

/**
 * The status line as Claude Code runs it: `node statusline.cjs INSTANCE HOST PORT USAGE-FILE`. It has to be quick, so that the
 * compiled code is kept, and nothing but what it needs is loaded; that is why it is not a command of ./manage alone.
 */
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

enableCompileCache(join(__dirname, '..', 'state', 'compile-cache'));
const { printStatusLine } = require('../src/cli/statusline/statusLine.ts');

const [instance, host, port, usageFile] = process.argv.slice(2);
const manager = join(__dirname, '..', 'manage');
printStatusLine({ instance, host, port: Number(port), usageFile, manager }, process.env);
