import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import buildExecutable from '../globalSetup.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { findLlamaServer, type Missing, type Program } from './debianPackages.ts';
import { encodeScriptedModel } from './scriptedModel.ts';

declare module 'vitest' {
  interface ProvidedContext {
    llamaServer: (Program & { readonly model: string }) | Missing;
  }
}

/** Brings llama-server, its model and the executable before the tests; says why where there is no server. */
export default async function setup({ provide }: TestProject): Promise<(() => void) | undefined> {
  const found = findLlamaServer();
  if ('reason' in found) {
    process.stdout.write(`skipped: ${found.reason}\n`);
    provide('llamaServer', found);
    return undefined;
  }
  await buildExecutable();
  const { path, remove } = temporaryFolder();
  const model = join(path, 'scripted.gguf');
  writeFileSync(model, encodeScriptedModel());
  provide('llamaServer', { ...found, model });
  return remove;
}
